/** A Sandbox of one process: bubblewrap around each job, its output to a log store. Enough to build with; the engine has the real one. */

import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import type { LogStore } from '../../src/core/ports/log-store.ts';
import type { JobExit, JobSpec, Sandbox } from '../../src/core/ports/sandbox.ts';
import { signalGroup, start } from '../../src/lib/exec.ts';

export const hasBubblewrap = existsSync('/usr/bin/bwrap');

export interface BareSandbox extends Sandbox {
  /** Every job that was run, in order. */
  readonly ran: JobSpec[];
}

const system = ['/bin', '/lib', '/lib64', '/sbin'].flatMap((path) => ['--symlink', `usr${path}`, path]);

function argumentsOf(job: JobSpec): string[] {
  const argv = ['bwrap', '--unshare-pid', '--die-with-parent', '--ro-bind', '/usr', '/usr', ...system];
  argv.push('--ro-bind', '/etc', '/etc', '--proc', '/proc', '--dev', '/dev', '--tmpfs', '/tmp');
  argv.push('--ro-bind', dirname(process.execPath), '/opt/berth/node/bin');
  for (const { host, inside, writable } of job.folders) argv.push(writable ? '--bind' : '--ro-bind', host, inside);
  return [...argv, '--chdir', job.workingFolder ?? '/', '--', ...job.command];
}

export function createBareSandbox(logs: LogStore): BareSandbox {
  const running = new Map<string, number>();
  const ran: JobSpec[] = [];

  async function run(job: JobSpec, signal: AbortSignal): Promise<JobExit> {
    signal.throwIfAborted();
    ran.push(job);
    const environment: Record<string, string> = {
      PATH: '/opt/berth/node/bin:/usr/local/bin:/usr/bin:/bin',
      HOME: '/app',
      NODE_EXTRA_CA_CERTS: process.env.NODE_EXTRA_CA_CERTS ?? '',
    };
    for (const [name, value] of Object.entries(job.environment)) environment[name] = value.reveal();
    const child = start(argumentsOf(job), { environment, ownGroup: true, stdio: ['ignore', 'pipe', 'pipe'] });
    const closed = new Promise<[number | null, string | null]>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, name) => resolve([code, name]));
    });
    running.set(job.id, child.pid ?? 0);
    let printed = 0;
    let timedOut = false;
    const kill = (): void => signalGroup(child.pid, 'SIGKILL');
    const timer = setTimeout(() => {
      timedOut = true;
      kill();
    }, job.timeoutMs);
    signal.addEventListener('abort', kill, { once: true });
    const pump = async (stream: Readable): Promise<void> => {
      for await (const text of createInterface({ input: stream })) {
        printed += text.length + 1;
        if (printed > job.log.maxBytes) kill();
        else
          await logs.append(job.log.stream, [
            { at: new Date(), source: 'build', process: '', instance: '', seat: '', text },
          ]);
      }
    };
    try {
      const none = Readable.from([]);
      await Promise.all([pump(child.stdout ?? none), pump(child.stderr ?? none)]);
      const [code, name] = await closed;
      signal.throwIfAborted();
      const outputExceeded = printed > job.log.maxBytes;
      const exit = { code, signal: name, outOfMemory: false, timedOut, startError: null, at: new Date() };
      return { ...exit, diskExceeded: false, outputExceeded };
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', kill);
      running.delete(job.id);
    }
  }

  return {
    ran,
    run,
    kill: async (id) => signalGroup(running.get(id), 'SIGKILL'),
    jobs: async () => [...running.keys()],
  };
}
