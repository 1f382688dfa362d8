/** How many bytes the files of a tree hold. */
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** Follows no links; what vanishes meanwhile counts nothing. */
export async function treeBytes(folder: string): Promise<number> {
  let sum = 0;
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) sum += await treeBytes(path);
    else if (entry.isFile()) sum += (await lstat(path).catch(() => null))?.size ?? 0;
  }
  return sum;
}
