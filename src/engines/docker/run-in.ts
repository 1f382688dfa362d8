/** Runs a fixed shell script inside a container of the platform's own and gives back what it printed. */
import type { DockerApi } from './api/docker-api.ts';
import { OutputFrames } from './api/frames.ts';
import type { ExecDetails } from './api/shapes.ts';

/** Rejects with the script's complaint when it fails. Arguments stay apart from the script, whatever is in them. */
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
  const output = { stdout: '', stderr: '' };
  const frames = new OutputFrames();
  const take = (chunk: Buffer): void => {
    for (const { source, payload } of frames.push(chunk)) output[source] += payload.toString();
  };
  take(head);
  for await (const chunk of socket) take(chunk as Buffer);
  const { ExitCode } = await api.call<ExecDetails>('GET', `/exec/${Id}/json`);
  if (ExitCode !== 0) throw new Error(`on the node: ${output.stderr.trim() || `exit ${ExitCode}`}`);
  return output.stdout;
}
