import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** Paths of the files below a folder that hold any of these bytes; what vanishes meanwhile, and what is no plain file, does not count. */
export async function filesHolding(folder: string, needles: readonly Buffer[]): Promise<readonly string[]> {
  const overlap = Math.max(...needles.map((needle) => needle.length)) - 1;
  const found: string[] = [];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    if (await holds(path, needles, overlap)) found.push(path);
  }
  return found;
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
