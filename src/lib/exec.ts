/**
 * The only place that starts processes. Argument vectors, never a shell; the environment is always said whole, so nothing of the
 * platform's own environment reaches a child by accident.
 */
import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';

export interface StartOptions {
  readonly environment: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly uid?: number;
  readonly gid?: number;
  /** Own process group and session, so that a signal to `-pid` reaches all of it. */
  readonly ownGroup?: boolean;
  readonly stdio?: StdioOptions;
}

/** Starts `argv[0]` with the rest as arguments. A program that is missing shows as the child's `error` event. */
export function start(argv: readonly string[], options: StartOptions): ChildProcess {
  const [program, ...rest] = argv;
  if (program === undefined) throw new TypeError('an empty argument vector');
  return spawn(program, rest, {
    env: { ...options.environment },
    detached: options.ownGroup ?? false,
    stdio: options.stdio ?? ['ignore', 'pipe', 'pipe'],
    shell: false,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.uid === undefined ? {} : { uid: options.uid }),
    ...(options.gid === undefined ? {} : { gid: options.gid }),
  });
}

export interface RunOptions extends Omit<StartOptions, 'stdio'> {
  readonly timeoutMs: number;
  /** Output above it is cut. */
  readonly maxOutputBytes?: number;
  readonly input?: string;
  readonly signal?: AbortSignal;
}

export interface RunResult {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly timedOut: boolean;
}

/** Runs to the end and gives back code and output; rejects only when the program cannot be started. */
export function run(argv: readonly string[], options: RunOptions): Promise<RunResult> {
  return new Promise((resolve, reject) => {
    const child = start(argv, { ...options, ownGroup: true, stdio: ['pipe', 'pipe', 'pipe'] });
    const limit = options.maxOutputBytes ?? 1024 * 1024;
    const outputs = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
    for (const name of ['stdout', 'stderr'] as const) {
      let kept = 0;
      child[name]?.on('data', (chunk: Buffer) => {
        if (kept < limit) outputs[name].push(chunk.subarray(0, limit - kept));
        kept += chunk.length;
      });
    }
    let timedOut = false;
    const kill = (): void => signalGroup(child.pid, 'SIGKILL');
    const timer = setTimeout(() => {
      timedOut = true;
      kill();
    }, options.timeoutMs);
    options.signal?.addEventListener('abort', kill, { once: true });
    const settle = (): void => {
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', kill);
    };
    child.once('error', (error) => {
      settle();
      reject(error);
    });
    child.once('close', (code, signal) => {
      settle();
      const text = (name: 'stdout' | 'stderr'): string => Buffer.concat(outputs[name]).toString('utf8');
      resolve({ code, signal, stdout: text('stdout'), stderr: text('stderr'), timedOut });
    });
    child.stdin?.on('error', () => {});
    child.stdin?.end(options.input ?? '');
    if (options.signal?.aborted) kill();
  });
}

/** Signals a whole process group; a group that is gone is no error. */
export function signalGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined || pid <= 1) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
