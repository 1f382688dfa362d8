import { readdir, readFile } from 'node:fs/promises';
import { constants } from 'node:os';

/** Process ids on this machine whose argument vector holds `argument` as one of its elements; zombies do not count. */
export async function processesWith(argument: string): Promise<readonly number[]> {
  const found: Found[] = [];
  await eachProcess(async (pid, command) => {
    if (!command.split('\0').includes(argument)) return;
    const parent = await parentOf(pid);
    if (parent !== null) found.push({ pid, command, parent });
  });
  return withoutForks(found).map(({ pid }) => pid);
}

/** Which of these run at one time: the elements that are in the argument vector of some process. */
export async function runningOf(argumentsOf: readonly string[]): Promise<readonly string[]> {
  // A look takes its time: of what it saw, one may have ended before another began. What the next one sees too ran between both.
  const [first, second] = [await elementsNow(), await elementsNow()];
  return argumentsOf.filter((argument) => first.has(argument) && second.has(argument));
}

async function elementsNow(): Promise<ReadonlySet<string>> {
  const seen = new Set<string>();
  await eachProcess((_pid, command) => {
    for (const element of command.split('\0')) seen.add(element);
  });
  return seen;
}

/** Whether the process has a handler for the signal by now; without one the signal ends it. */
export async function catches(pid: number, signal: NodeJS.Signals): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const caught = BigInt(`0x${/^SigCgt:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
  return (caught & (1n << BigInt(constants.signals[signal] - 1))) !== 0n;
}

interface Found {
  readonly pid: number;
  readonly command: string;
  readonly parent: number;
}

/** A process that has forked and not yet become another program, or taken a name of its own, is there twice for a moment. */
function withoutForks(found: readonly Found[]): readonly Found[] {
  return found.filter((each) => !found.some((other) => other.pid === each.parent && other.command === each.command));
}

async function eachProcess(look: (pid: number, command: string) => void | Promise<void>): Promise<void> {
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    await look(Number(entry), await readFile(`/proc/${entry}/cmdline`, 'utf8').catch(() => ''));
  }
}

/** Null for a process that has ended. */
async function parentOf(pid: number): Promise<number | null> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  if (/^State:\s+[ZX]/m.test(status)) return null;
  const parent = /^PPid:\s*(\d+)$/m.exec(status)?.[1];
  return parent === undefined ? null : Number(parent);
}
