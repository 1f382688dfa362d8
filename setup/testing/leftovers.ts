/**
 * Finds processes that a test file left running. Each file gets a folder for its temporary files; whoever still works in it, or names it
 * in its arguments or environment, was started by that file, whatever group, session or user it has moved to.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

export interface Leftover {
  readonly pid: number;
  readonly command: string;
}

/** Processes that hold on to `folder`. None where the system has no /proc. */
export function findLeftovers(folder: string): Leftover[] {
  const found: Leftover[] = [];
  for (const name of entriesOf('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    const command = textOf(`/proc/${name}/cmdline`).replaceAll('\0', ' ').trim();
    const working = linkOf(`/proc/${name}/cwd`);
    if (working.startsWith(folder) || command.includes(folder) || textOf(`/proc/${name}/environ`).includes(folder)) {
      found.push({ pid, command });
    }
  }
  return found;
}

/** Kills processes that hold on to `folder` until none is left, for at most a second; gives those found at first. */
export async function killLeftovers(folder: string): Promise<Leftover[]> {
  const first = findLeftovers(folder);
  for (let left = first, round = 0; left.length > 0 && round < 20; round += 1) {
    for (const { pid } of left) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It ended by itself, or is not ours to kill.
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
    left = findLeftovers(folder);
  }
  return first;
}

function attempt<T>(read: () => T, otherwise: T): T {
  try {
    return read();
  } catch {
    return otherwise;
  }
}

const entriesOf = (folder: string): string[] => attempt(() => readdirSync(folder), []);
const textOf = (path: string): string => attempt(() => readFileSync(join(path), 'utf8'), '');
const linkOf = (path: string): string => attempt(() => readlinkSync(path), '');
