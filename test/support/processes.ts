import { readdir, readFile } from 'node:fs/promises';

/** Process ids on this machine whose argument vector holds `argument` as one of its elements; zombies do not count. */
export async function processesWith(argument: string): Promise<readonly number[]> {
  const found: number[] = [];
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const command = await readFile(`/proc/${entry}/cmdline`, 'utf8').catch(() => '');
    if (command.split('\0').includes(argument)) found.push(Number(entry));
  }
  return found;
}
