/**
 * A registry within a test's daemon's own machine, on its loopback, so that Dockerfiles have something to begin with: builds take no image
 * from what the daemon has already.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DockerApi } from '../../src/engines/docker/api/docker-api.ts';
import { transferEnd } from '../../src/engines/docker/images/transfer-progress.ts';
import { start } from '../../src/lib/exec.ts';
import type { DockerDaemon } from './docker-daemon.ts';
import { systemEnvironment } from './system-command.ts';
import { until } from './until.ts';

export interface BaseImage {
  /** What a Dockerfile names it by. */
  readonly reference: string;
  close(): Promise<void>;
}

/** Nothing else is on the loopback of that machine. */
const host = '127.0.0.1:5000';

/** Publishes an image that the daemon has as `localReference`. */
export async function publishBase(
  { namespace }: Pick<DockerDaemon, 'namespace'>,
  api: DockerApi,
  localReference: string,
): Promise<BaseImage> {
  const folder = mkdtempSync(join(tmpdir(), 'berth-base-'));
  const config = {
    version: '0.1',
    storage: { filesystem: { rootdirectory: join(folder, 'data') } },
    http: { addr: host },
  };
  writeFileSync(join(folder, 'config.yml'), JSON.stringify(config));
  const argv = [
    'nsenter',
    `--net=/run/netns/${namespace}`,
    '--',
    'docker-registry',
    'serve',
    join(folder, 'config.yml'),
  ];
  const child = start(argv, { environment: systemEnvironment, stdio: 'ignore' });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const close = async (): Promise<void> => {
    child.kill('SIGTERM');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const repo = `${host}/base`;
    await api.call('POST', `/images/${localReference}/tag`, { query: { repo, tag: '1' } });
    await until(
      'the base image is published',
      async () => {
        if (child.exitCode !== null) throw new Error('the registry ended');
        const headers = { 'X-Registry-Auth': 'e30=' };
        const answer = await api.stream('POST', `/images/${repo}/push`, { query: { tag: '1' }, headers });
        return (await transferEnd(answer)).digest;
      },
      180_000,
    );
    return { reference: `${repo}:1`, close };
  } catch (error) {
    await close();
    throw error;
  }
}
