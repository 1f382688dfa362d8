/** The server's main process: which one it is, starting it apart from us, ending it. */
import { close, open as openFile, read } from 'node:fs';
import { readFile, rename, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { start } from '../../lib/exec.ts';
import type { Account } from './account.ts';

const openDescriptor = promisify(openFile);
const closeDescriptor = promisify(close);
const readDescriptor = promisify(read);

const MAX_LOG_BYTES = 1024 * 1024;
const POLL_MS = 10;
const FAST_STOP_MS = 30_000;
const IMMEDIATE_STOP_MS = 5_000;

/** The pid of the server that runs on this cluster, or null. A pid file left by a crash, whose pid is another's now, counts as none. */
export async function runningPid(cluster: string): Promise<number | null> {
  const text = await readFile(join(cluster, 'postmaster.pid'), 'utf8').catch(() => '');
  const pid = Number(text.split('\n', 1)[0]);
  if (!Number.isSafeInteger(pid) || pid <= 1) return null;
  return (await isServer(pid, cluster)) ? pid : null;
}

/** Removes a pid file whose pid now belongs to a foreign process: PostgreSQL itself would not dare to. */
export async function clearForeignPid(cluster: string, socketFolder: string, port: number): Promise<void> {
  for (const path of [join(cluster, 'postmaster.pid'), join(socketFolder, `.s.PGSQL.${port}.lock`)]) {
    const text = await readFile(path, 'utf8').catch(() => '');
    const pid = Number(text.split('\n', 1)[0]);
    if (pid > 1 && (await isAlive(pid)) && !(await isServer(pid, cluster))) await unlink(path).catch(() => {});
  }
}

async function isServer(pid: number, cluster: string): Promise<boolean> {
  if (!(await isAlive(pid))) return false;
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => null);
  // Without /proc the pid file is all there is to go by.
  return command === null || command.split('\0').includes(cluster);
}

/** Whether a process runs; a zombie does not. */
export async function isAlive(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  return status === null || !/^\d+ \(.*\) [ZX]/s.test(status);
}

export interface Launch {
  /** Resolves with what was logged since the launch, when the process has ended. */
  readonly ended: Promise<string>;
}

/**
 * Starts the server in a session of its own: neither Ctrl-C in our terminal nor our death reaches it. It logs to a file, of which one old
 * generation is kept.
 */
export async function launch(argv: readonly string[], account: Account | null, log: string): Promise<Launch> {
  const size = (await stat(log).catch(() => null))?.size ?? 0;
  if (size > MAX_LOG_BYTES) await rename(log, `${log}.old`);
  const from = size > MAX_LOG_BYTES ? 0 : size;
  const output = await openDescriptor(log, 'a', 0o600);
  const child = start(argv, {
    environment: { LC_ALL: 'C', TZ: 'UTC' },
    cwd: '/',
    ownGroup: true,
    stdio: ['ignore', output, output],
    ...(account === null ? {} : { uid: account.uid, gid: account.gid }),
  });
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', () => resolve(readTail(log, from)));
  });
  child.unref();
  await closeDescriptor(output);
  return { ended };
}

async function readTail(path: string, from: number): Promise<string> {
  try {
    const file = await openDescriptor(path, 'r');
    try {
      const buffer = Buffer.alloc(4096);
      const { bytesRead } = await readDescriptor(file, buffer, 0, buffer.length, from);
      return buffer.toString('utf8', 0, bytesRead).trim();
    } finally {
      await closeDescriptor(file);
    }
  } catch {
    return '';
  }
}

/** Ends the server that runs on the cluster: sessions are cut, what was committed is on disk. Nothing to do when none runs. */
export async function stopServer(cluster: string): Promise<void> {
  const steps: readonly (readonly [NodeJS.Signals, number])[] = [
    ['SIGINT', FAST_STOP_MS],
    ['SIGQUIT', IMMEDIATE_STOP_MS],
    ['SIGKILL', IMMEDIATE_STOP_MS],
  ];
  for (const [signal, waitMs] of steps) {
    const pid = await runningPid(cluster);
    if (pid === null) return;
    try {
      process.kill(pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
    for (const end = performance.now() + waitMs; performance.now() < end; await delay(POLL_MS)) {
      if (!(await isAlive(pid))) return;
    }
  }
}
