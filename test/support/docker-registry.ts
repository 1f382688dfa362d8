/**
 * A registry of images of a test's own (Debian's docker-registry), over plain HTTP on an address of this machine that the test's daemons
 * reach; they must have `insecureRegistries` in their configuration. One user may read and write, and nobody else.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { start } from '../../src/lib/exec.ts';
import { claimPort } from './ports.ts';
import { isInstalled, systemEnvironment, textOf } from './system-command.ts';
import { until } from './until.ts';

export interface TestRegistry {
  /** `host:port`. */
  readonly host: string;
  readonly username: string;
  readonly password: string;
  /** What it was asked, a line each. */
  log(): string;
  stop(): Promise<void>;
  /** Begins again, with what it had. */
  start(): Promise<void>;
  close(): Promise<void>;
}

export const registryUser = { username: 'robot', password: 's3cret-of-robot' };
/** bcrypt of the password above. */
const hash = '$2y$04$x.Uv52FPQWtMOpWXYBHUtunsWX6seuTPzspAAROk9wqVT5PzE75BW';

/** For daemon.json: every address that daemons of tests and this machine have between them. */
export const insecureRegistries = { 'insecure-registries': ['10.0.0.0/8', '127.0.0.0/8'] };

export const missingForRegistry = (): string | null =>
  isInstalled('docker-registry') ? null : 'not installed: docker-registry';

/** `open`: without a user and password. */
export async function startRegistry(address: string, { open = false } = {}): Promise<TestRegistry> {
  const folder = mkdtempSync(join(tmpdir(), 'berth-registry-'));
  const port = await claimPort();
  mkdirSync(join(folder, 'data'));
  writeFileSync(join(folder, 'users'), `${registryUser.username}:${hash}\n`);
  writeFileSync(
    join(folder, 'config.yml'),
    JSON.stringify({
      version: '0.1',
      log: { level: 'info' },
      storage: { filesystem: { rootdirectory: join(folder, 'data') }, delete: { enabled: true } },
      http: { addr: `${address}:${port}` },
      ...(open ? {} : { auth: { htpasswd: { realm: 'test', path: join(folder, 'users') } } }),
    }),
  );
  let end: (() => Promise<void>) | null = null;
  const log = (): string => textOf(join(folder, 'log'));
  const begin = async (): Promise<void> => {
    const argv = ['sh', '-c', 'exec "$1" serve "$2" >>"$3" 2>&1', 'sh', 'docker-registry'];
    const child = start([...argv, join(folder, 'config.yml'), join(folder, 'log')], {
      environment: systemEnvironment,
      stdio: 'ignore',
    });
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    end = async () => {
      child.kill('SIGTERM');
      await ended;
    };
    await until(
      'the registry answers',
      async () => {
        if (child.exitCode !== null) throw new Error(`the registry ended: ${log().slice(-2_000)}`);
        const answer = await fetch(`http://${address}:${port}/v2/`).catch(() => null);
        await answer?.body?.cancel();
        return answer !== null;
      },
      30_000,
    );
  };
  const stop = async (): Promise<void> => {
    await end?.();
    end = null;
  };
  await begin();
  return {
    ...{ host: `${address}:${port}`, ...registryUser, log, stop, start: begin },
    async close() {
      await stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
