/** Reading /proc: who is alive, who belongs to whom. Every function takes a vanished process as an answer, not as an error. */
import { readdirSync, readFileSync } from 'node:fs';

function read(path: string): string | null {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return null;
  }
}

export interface ProcessStat {
  readonly pid: number;
  readonly state: string;
  readonly parent: number;
  /** Clock ticks after boot; with the pid it names one process for ever. */
  readonly startTicks: string;
  readonly userTicks: number;
  readonly systemTicks: number;
  readonly residentPages: number;
}

/** Null when there is no such process. */
export function processStat(pid: number): ProcessStat | null {
  const text = read(`/proc/${pid}/stat`);
  if (text === null) return null;
  // The command name may hold blanks and parentheses, so the fields are counted after its last parenthesis.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return {
    pid,
    state: fields[0] ?? 'X',
    parent: Number(fields[1]),
    startTicks: fields[19] ?? '',
    userTicks: Number(fields[11]),
    systemTicks: Number(fields[12]),
    residentPages: Number(fields[21]),
  };
}

/** Whether this very process (not a later one of the same number) still runs; a zombie does not. */
export function isAlive(pid: number, startTicks: string): boolean {
  const stat = processStat(pid);
  return stat !== null && stat.startTicks === startTicks && stat.state !== 'Z' && stat.state !== 'X';
}

/** All process ids of the machine that this process may see. */
export function allPids(): number[] {
  return readdirSync('/proc').map(Number).filter(Number.isInteger);
}

/** The initial environment of a process as exact bytes decoded from UTF-8; null when it is gone or not ours to read. */
export function processEnvironment(pid: number): Record<string, string> | null {
  let bytes: Buffer;
  try {
    bytes = readFileSync(`/proc/${pid}/environ`);
  } catch {
    return null;
  }
  const environment: Record<string, string> = {};
  for (const entry of bytes.toString('utf8').split('\0')) {
    const equals = entry.indexOf('=');
    if (equals > 0) environment[entry.slice(0, equals)] = entry.slice(equals + 1);
  }
  return environment;
}

/** The id of a process in its innermost pid namespace, and how deep that lies; null when it is gone. */
export function innerPid(pid: number): { readonly pid: number; readonly depth: number } | null {
  const match = /^NSpid:\s*(.+)$/m.exec(read(`/proc/${pid}/status`) ?? '');
  const ids = match?.[1]?.trim().split(/\s+/) ?? [];
  const last = ids.at(-1);
  return last === undefined ? null : { pid: Number(last), depth: ids.length };
}

export function childrenOf(pid: number): number[] {
  return (read(`/proc/${pid}/task/${pid}/children`) ?? '').split(' ').filter(Boolean).map(Number);
}

/** A process and everything below it. */
export function treeOf(pid: number): number[] {
  const found = [pid];
  for (let index = 0; index < found.length; index++) found.push(...childrenOf(found[index] ?? 0));
  return found;
}

/** Processes whose environment holds `<name>=<value>` exactly. */
export function pidsMarked(name: string, value: string): number[] {
  const mark = Buffer.from(`${name}=${value}\0`);
  return allPids().filter((pid) => {
    try {
      const environ = readFileSync(`/proc/${pid}/environ`);
      const at = environ.indexOf(mark);
      return at === 0 || (at > 0 && environ[at - 1] === 0);
    } catch {
      return false;
    }
  });
}

/** Sends a signal to one process; one that is gone is no error. */
export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  if (pid <= 1) return;
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
