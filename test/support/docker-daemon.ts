/**
 * A Docker daemon of a test's own: in a network namespace that is a machine of its own, with a folder, control groups and firewall that
 * nothing else has. The test reaches it over a pair of interfaces. Needs root and the programs of docker.io and iproute2.
 */
import { randomBytes, randomInt } from 'node:crypto';
import {
  accessSync,
  constants,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run, start } from '../../src/lib/exec.ts';
import { until } from './until.ts';

const folders = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];
const environment = { PATH: folders.join(':'), LC_ALL: 'C' };

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

/** Why there can be no daemon here; null when there can. */
export function missingForDocker(): string | null {
  if (process.getuid?.() !== 0) return 'a Docker daemon needs root';
  const lack = ['dockerd', 'containerd', 'runc', 'ip', 'nsenter', 'iptables'].filter(
    (program) => !isInstalled(program),
  );
  return lack.length === 0 ? null : `not installed: ${lack.join(', ')}`;
}

const isInstalled = (program: string): boolean =>
  folders.some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });

async function command(...argv: string[]): Promise<string> {
  const result = await run(argv, { environment, timeoutMs: 30_000 });
  if (result.code !== 0) throw new Error(`${argv.join(' ')}: ${result.stderr.trim()}`);
  return result.stdout;
}

export async function startDockerDaemon(): Promise<DockerDaemon> {
  const name = `bd${randomBytes(4).toString('hex')}`;
  const folder = mkdtempSync(join(tmpdir(), 'berth-docker-'));
  const wire = `10.${randomInt(240, 250)}.${randomInt(0, 255)}`;
  const [hostAddress, address] = [`${wire}.1`, `${wire}.2`];
  const addressPool = `10.${randomInt(64, 128)}.${randomInt(0, 4) * 64}.0/18`;
  let pid: number | null = null;

  await command('ip', 'netns', 'add', name);
  await command('ip', 'link', 'add', name, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name);
  await command('ip', 'address', 'add', `${hostAddress}/24`, 'dev', name);
  await command('ip', 'link', 'set', name, 'up');
  await command('ip', '-n', name, 'address', 'add', `${address}/24`, 'dev', 'eth0');
  await command('ip', '-n', name, 'link', 'set', 'eth0', 'up');
  await command('ip', '-n', name, 'link', 'set', 'lo', 'up');
  await command('ip', '-n', name, 'route', 'add', 'default', 'via', hostAddress);
  await command('ip', 'route', 'add', addressPool, 'via', address);

  const begin = async (): Promise<void> => {
    for (const each of ['data', 'exec']) mkdirSync(join(folder, each), { recursive: true });
    rmSync(join(folder, 'pid'), { force: true });
    const log = openSync(join(folder, 'log'), 'a');
    const argv = [
      ...['nsenter', `--net=/run/netns/${name}`, '--', 'dockerd', '--host', `unix://${folder}/socket`],
      ...['--data-root', join(folder, 'data'), '--exec-root', join(folder, 'exec'), '--pidfile', join(folder, 'pid')],
      ...['--cgroup-parent', `/${name}`, '--config-file', join(folder, 'daemon.json')],
    ];
    writeFileSync(join(folder, 'daemon.json'), '{}');
    const child = start(argv, { environment, ownGroup: true, stdio: ['ignore', log, log] });
    pid = child.pid ?? null;
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    let over = false;
    void ended.then(() => {
      over = true;
    });
    await until('the daemon answers', async () => {
      if (over) throw new Error(`dockerd ended: ${readFileSync(join(folder, 'log'), 'utf8').slice(-2_000)}`);
      const ping = ['curl', '-sf', '--unix-socket', `${folder}/socket`, 'http://docker/_ping'];
      return (await run(ping, { environment, timeoutMs: 5_000 })).code === 0;
    });
  };

  /** Every process below the daemon's folder or in its control groups. */
  const strays = (): number[] => {
    const own = readdirSync('/proc')
      .map(Number)
      .filter((each) => Number.isInteger(each) && each !== process.pid)
      .filter((each) => read(`/proc/${each}/cmdline`).includes(folder));
    return [...new Set([...own, ...groupFolders(name).flatMap(groupMembers)])];
  };
  const killStrays = () =>
    until('nothing of the daemon runs', () => {
      const left = strays();
      for (const each of left) kill(each, 'SIGKILL');
      return left.length === 0;
    });
  const stop = async (signal: 'SIGKILL' | 'SIGTERM'): Promise<void> => {
    const daemon = pid;
    pid = null;
    if (daemon === null) return;
    kill(daemon, signal);
    await until('the daemon is gone', () => !isAlive(daemon), 60_000);
    if (signal !== 'SIGKILL') return;
    await killStrays();
    // On a machine that lost its power, /run is empty.
    rmSync(join(folder, 'exec', 'containerd'), { recursive: true, force: true });
  };
  const close = async (): Promise<void> => {
    await stop('SIGTERM').catch(() => {});
    await killStrays();
    const mounts = read('/proc/self/mounts')
      .split('\n')
      .map((line) => line.split(' ')[1] ?? '');
    for (const at of mounts.filter((each) => each.startsWith(`${folder}/`)).reverse()) {
      await run(['umount', '-l', at], { environment, timeoutMs: 30_000 });
    }
    for (const group of groupFolders(name).reverse()) {
      await until('a control group is empty', () => {
        try {
          rmdirSync(group);
          return true;
        } catch (error) {
          return (error as NodeJS.ErrnoException).code === 'ENOENT';
        }
      });
    }
    await command('ip', 'netns', 'delete', name);
    await run(['ip', 'link', 'delete', name], { environment, timeoutMs: 30_000 });
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await begin();
  } catch (error) {
    await close();
    throw error;
  }
  return {
    host: `unix://${folder}/socket`,
    folder,
    namespace: name,
    address,
    hostAddress,
    addressPool,
    start: begin,
    stop,
    close,
  };
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {}
}

/** A zombie of ours is as good as gone. */
const isAlive = (pid: number): boolean => /^State:\s+[^ZX]/m.test(read(`/proc/${pid}/status`));

/** Its control groups in every hierarchy, outer ones first. */
function groupFolders(name: string): string[] {
  const below = (folder: string): string[] => {
    try {
      const inner = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
      return [folder, ...inner.flatMap((entry) => below(join(folder, entry.name)))];
    } catch {
      return [];
    }
  };
  const hierarchies = readdirSync('/sys/fs/cgroup', { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return ['.', ...hierarchies.map((entry) => entry.name)].flatMap((entry) =>
    below(join('/sys/fs/cgroup', entry, name)),
  );
}

const groupMembers = (group: string): number[] =>
  read(join(group, 'cgroup.procs')).split('\n').filter(Boolean).map(Number);
