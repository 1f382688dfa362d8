/** Runs a fixed shell script inside a container of the platform's own and gives back what it printed. */
import type { Socket } from 'node:net';
import { unavailable } from '../../core/errors.ts';
import type { DockerApi } from './api/docker-api.ts';
import { OutputFrames } from './api/frames.ts';
import type { ExecDetails } from './api/shapes.ts';

export interface RunPlace {
  readonly api: DockerApi;
  readonly container: string;
  /** For all of it, from the asking on. Default: twenty seconds, long for whatever sets something up. */
  readonly limitMs?: number;
  /** Ends the waiting with its reason. */
  readonly signal?: AbortSignal;
}

/** A daemon takes the connection over before anything runs, so one whose containers hang would say nothing for ever. */
const usualMs = 20_000;
const largestOutput = 1024 * 1024;

/**
 * Rejects with the script's complaint when it fails, and with `unavailable` when it takes too long; it may go on on the node. Arguments stay
 * apart from the script, whatever is in them.
 */
export async function runIn(
  { api, container, limitMs = usualMs, signal: caller }: RunPlace,
  script: string,
  ...args: readonly string[]
): Promise<string> {
  const limit = new AbortController();
  const late = setTimeout(() => limit.abort(unavailable('a script on the node does not end')), limitMs);
  const signal = caller === undefined ? limit.signal : AbortSignal.any([caller, limit.signal]);
  try {
    const { Id } = await api.call<{ Id: string }>('POST', `/containers/${container}/exec`, {
      body: { AttachStdout: true, AttachStderr: true, Cmd: ['/bin/sh', '-euc', script, 'berth', ...args] },
      signal,
    });
    const { socket, head } = await api.upgrade(`/exec/${Id}/start`, { body: { Detach: false, Tty: false }, signal });
    const output = await outputOf(socket, head, signal);
    const { ExitCode } = await api.call<ExecDetails>('GET', `/exec/${Id}/json`, { signal });
    if (ExitCode !== 0) throw new Error(`on the node: ${output.stderr.trim() || `exit ${ExitCode}`}`);
    return output.stdout;
  } finally {
    clearTimeout(late);
  }
}

async function outputOf(
  socket: Socket,
  head: Buffer,
  signal: AbortSignal,
): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const output = { stdout: '', stderr: '' };
  const frames = new OutputFrames();
  const take = (chunk: Buffer): void => {
    for (const { source, payload } of frames.push(chunk)) {
      const kept = source === 'stdout' ? 'stdout' : 'stderr';
      output[kept] += payload.toString();
      if (output[kept].length > largestOutput) throw new Error('a script on the node prints without an end');
    }
  };
  const end = (): void => void socket.destroy(signal.reason);
  signal.addEventListener('abort', end);
  try {
    signal.throwIfAborted();
    take(head);
    for await (const chunk of socket) take(chunk as Buffer);
    return output;
  } finally {
    signal.removeEventListener('abort', end);
    socket.destroy();
  }
}
