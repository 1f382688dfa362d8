/** Runs a fixed shell script inside a container of the platform's own and gives back what it printed. */
import type { Socket } from 'node:net';
import { unavailable } from '../../core/errors.ts';
import type { DockerApi } from './api/docker-api.ts';
import { OutputFrames } from './api/frames.ts';
import type { ExecDetails } from './api/shapes.ts';

/** The longest looks through the files of a whole volume. */
const limitMs = 600_000;
const largestOutput = 1024 * 1024;

/**
 * Rejects with the script's complaint when it fails, and when it takes longer than ten minutes. Arguments stay apart from the script,
 * whatever is in them.
 */
export async function runIn(
  api: DockerApi,
  container: string,
  script: string,
  ...args: readonly string[]
): Promise<string> {
  const { Id } = await api.call<{ Id: string }>('POST', `/containers/${container}/exec`, {
    body: { AttachStdout: true, AttachStderr: true, Cmd: ['/bin/sh', '-euc', script, 'berth', ...args] },
  });
  const { socket, head } = await api.upgrade(`/exec/${Id}/start`, { body: { Detach: false, Tty: false } });
  const output = await outputOf(socket, head);
  const { ExitCode } = await api.call<ExecDetails>('GET', `/exec/${Id}/json`);
  if (ExitCode !== 0) throw new Error(`on the node: ${output.stderr.trim() || `exit ${ExitCode}`}`);
  return output.stdout;
}

async function outputOf(socket: Socket, head: Buffer): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const output = { stdout: '', stderr: '' };
  const frames = new OutputFrames();
  const take = (chunk: Buffer): void => {
    for (const { source, payload } of frames.push(chunk)) {
      const kept = source === 'stdout' ? 'stdout' : 'stderr';
      output[kept] += payload.toString();
      if (output[kept].length > largestOutput) throw new Error('a script on the node prints without an end');
    }
  };
  const late = setTimeout(() => socket.destroy(unavailable('a script on the node does not end')), limitMs);
  try {
    take(head);
    for await (const chunk of socket) take(chunk as Buffer);
    return output;
  } finally {
    clearTimeout(late);
    socket.destroy();
  }
}
