/** Unpacks an archive file of any known kind into a new folder. */
import { mkdir, open } from 'node:fs/promises';
import { BuildFailure } from '../../core/ports/builder.ts';
import { archiveKind, headBytes } from './archive-kind.ts';
import type { ArchiveLimits, TreeSummary } from './tree-writer.ts';
import { untar } from './untar.ts';
import { unzip } from './unzip.ts';

/**
 * Creates the folder `root` with the archive's content. A single top folder is left out. Throws BuildFailure `source` when the archive
 * is at fault; the folder is then in no particular state, and the caller's to delete.
 */
export async function unpack(
  archive: string,
  root: string,
  limits: ArchiveLimits,
  signal: AbortSignal,
): Promise<TreeSummary> {
  await mkdir(root, { mode: 0o755 });
  const kind = archiveKind(await readHead(archive));
  if (kind === 'zip') return unzip(archive, root, limits, signal);
  if (kind === 'tar' || kind === 'tgz' || kind === 'tar.zst') return untar(archive, kind, root, limits, signal);
  if (kind === 'unknown')
    throw new BuildFailure('source', 'the source is neither a tar, tar.gz, tar.zst nor zip archive');
  throw new BuildFailure('source', `the source is packed with ${kind}; send a tar, tar.gz, tar.zst or zip archive`);
}

async function readHead(archive: string): Promise<Uint8Array> {
  const handle = await open(archive, 'r');
  try {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(headBytes), 0, headBytes, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}
