/** Memory of processes as the kernel shares it out: a page that n processes map counts for each as its nth part. */
import { readdir, readFile } from 'node:fs/promises';

export interface ProcessMemory {
  readonly pid: number;
  readonly parent: number;
  readonly arguments: readonly string[];
  readonly pssMebibytes: number;
}

/** Every process of the machine that lets itself be read; those that end meanwhile are left out. */
export async function processMemory(): Promise<readonly ProcessMemory[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(pids.map((pid) => memoryOf(Number(pid)).catch(() => null)));
  return found.filter((each) => each !== null);
}

export async function memoryOf(pid: number): Promise<ProcessMemory> {
  const [rollup, stat, command] = await Promise.all(
    ['smaps_rollup', 'stat', 'cmdline'].map((file) => readFile(`/proc/${pid}/${file}`, 'utf8')),
  );
  if (rollup === undefined || stat === undefined || command === undefined) throw new Error(`no process ${pid}`);
  return {
    pid,
    parent: Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]),
    arguments: command.split('\0').filter((argument) => argument !== ''),
    pssMebibytes: Number(/^Pss:\s+(\d+) kB/m.exec(rollup)?.[1] ?? 0) / 1024,
  };
}

/** A process and all below it, except what lies below one that `isOutside` names (it included). */
export function tree(
  all: readonly ProcessMemory[],
  root: number,
  isOutside: (process: ProcessMemory) => boolean,
): readonly ProcessMemory[] {
  const own = all.find((process) => process.pid === root);
  if (own === undefined || isOutside(own)) return [];
  return [own, ...all.filter(({ parent }) => parent === root).flatMap(({ pid }) => tree(all, pid, isOutside))];
}
