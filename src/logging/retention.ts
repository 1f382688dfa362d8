/** Deletes what is too much or too old. The newest segment stays unless the whole stream is silent for longer than its days. */
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isMissing, listSegments, segmentPath } from './segments.ts';

export interface Retention {
  /** Bytes that a stream's segments may have together. */
  readonly retainBytes: number;
  /** Segments with no write since then go. */
  readonly oldest: Date;
}

export interface Pruned {
  readonly segments: number;
  readonly freedBytes: number;
}

/** Applies retention to one stream. A stream that is not there has nothing to free. */
export async function pruneStream(folder: string, retention: Retention): Promise<Pruned> {
  const segments: { path: string; size: number; written: Date }[] = [];
  for (const number of await listSegments(folder)) {
    const path = segmentPath(folder, number);
    try {
      const { size, mtime } = await stat(path);
      segments.push({ path, size, written: mtime });
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }
  const newest = segments.at(-1);
  let total = segments.reduce((sum, segment) => sum + segment.size, 0);
  let removed = 0;
  let freedBytes = 0;
  for (const segment of segments) {
    const isOld = segment.written < retention.oldest;
    const isOver = total > retention.retainBytes && segment !== newest;
    if (!isOld && !isOver) break;
    await rm(segment.path, { force: true });
    total -= segment.size;
    removed += 1;
    freedBytes += segment.size;
  }
  if (removed > 0 && removed === segments.length) await rm(folder, { recursive: true, force: true });
  return { segments: removed, freedBytes };
}

/** The folders of all streams below the root. */
export async function streamFolders(root: string): Promise<string[]> {
  const folders: string[] = [];
  for (const kind of await foldersIn(root)) folders.push(...(await foldersIn(kind)));
  return folders;
}

async function foldersIn(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map((entry) => join(folder, entry.name));
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}
