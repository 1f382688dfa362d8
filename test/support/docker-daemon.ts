/**
 * A Docker daemon of a test's own: in a network namespace that is a machine of its own, with a folder, control groups and firewall that
 * nothing else has. The test reaches it over a pair of interfaces. Needs root and the programs of docker.io and iproute2.
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { claimBlock } from './address-block.ts';
import { DockerProcess } from './docker-process.ts';
import { attempt, command } from './system-command.ts';

export { missingForDocker } from './docker-process.ts';

export interface DockerDaemon {
  /** `unix://…`. */
  readonly host: string;
  readonly folder: string;
  /** Name of its network namespace. */
  readonly namespace: string;
  /** Its own address, and this side's of the same wire. */
  readonly address: string;
  readonly hostAddress: string;
  /** A block that this machine routes to it. */
  readonly addressPool: string;
  /** Ends the daemon like a power cut, or asks it to end; then `start` again. */
  stop(signal: 'SIGKILL' | 'SIGTERM'): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
}

/** `configuration`: the rest of its daemon.json. */
export async function startDockerDaemon(configuration: Readonly<Record<string, unknown>> = {}): Promise<DockerDaemon> {
  const name = `bd${randomBytes(4).toString('hex')}`;
  const folder = mkdtempSync(join(tmpdir(), 'berth-docker-'));
  const [wire, pool] = await Promise.all([claimBlock(240, 250, 24), claimBlock(64, 128, 18)]);
  const [hostAddress, address] = [`${wire.prefix}.1`, `${wire.prefix}.2`];
  const addressPool = pool.text;
  const daemon = new DockerProcess({ name, folder, configuration });

  const layWire = async (): Promise<void> => {
    await command('ip', 'netns', 'add', name);
    await command('ip', 'link', 'add', name, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name);
    await command('ip', 'address', 'add', `${hostAddress}/24`, 'dev', name);
    await command('ip', 'link', 'set', name, 'up');
    await command('ip', '-n', name, 'address', 'add', `${address}/24`, 'dev', 'eth0');
    await command('ip', '-n', name, 'link', 'set', 'eth0', 'up');
    await command('ip', '-n', name, 'link', 'set', 'lo', 'up');
    await command('ip', '-n', name, 'route', 'add', 'default', 'via', hostAddress);
    await command('ip', 'route', 'add', addressPool, 'via', address);
  };
  const stop = async (signal: 'SIGKILL' | 'SIGTERM'): Promise<void> => {
    await daemon.stop(signal);
    if (signal !== 'SIGKILL') return;
    await daemon.killAll();
    await daemon.release();
  };
  const close = async (): Promise<void> => {
    await daemon.stop('SIGTERM').catch(() => {});
    await daemon.killAll();
    await daemon.release();
    await attempt('ip', 'netns', 'delete', name);
    await attempt('ip', 'link', 'delete', name);
    await Promise.all([wire.release(), pool.release()]);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await layWire();
    await daemon.start();
  } catch (error) {
    await close();
    throw error;
  }
  return {
    ...{ host: `unix://${daemon.socket}`, folder, namespace: name, address, hostAddress, addressPool },
    start: () => daemon.start(),
    stop,
    close,
  };
}
