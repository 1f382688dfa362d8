import { createReadStream, type Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** Paths of the files below a folder that hold any of these bytes; what vanishes meanwhile, and what is no plain file, does not count. */
export async function filesHolding(folder: string, needles: readonly Buffer[]): Promise<readonly string[]> {
  const overlap = Math.max(...needles.map((needle) => needle.length)) - 1;
  const found: string[] = [];
  // Folder by folder: a recursive listing fails as a whole when one of them vanishes.
  for (const entry of await entriesOf(folder)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) found.push(...(await filesHolding(path, needles)));
    else if (entry.isFile() && (await holds(path, needles, overlap))) found.push(path);
  }
  return found;
}

async function entriesOf(folder: string): Promise<readonly Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return [];
  }
}

async function holds(path: string, needles: readonly Buffer[], overlap: number): Promise<boolean> {
  let rest: Buffer = Buffer.alloc(0);
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 })) {
      const bytes = Buffer.concat([rest, chunk as Buffer]);
      if (needles.some((needle) => bytes.includes(needle))) return true;
      rest = bytes.subarray(Math.max(0, bytes.length - overlap));
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  return false;
}
