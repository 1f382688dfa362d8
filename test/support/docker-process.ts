/**
 * A dockerd in a network namespace that is there already, and all that hangs on it: its containerd, shims, containers, mounts, control groups
 * and sockets. What each test's machine is made of (docker-daemon.ts, swarm.ts); nothing outside its folder and its name is touched.
 */
import { globSync, mkdirSync, openSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { run, start } from '../../src/lib/exec.ts';
import { attempt, command, isInstalled, systemEnvironment, textOf } from './system-command.ts';
import { until } from './until.ts';

export interface DockerProcessOptions {
  /** Of its control groups, and of the network namespace that it runs in. */
  readonly name: string;
  /** Holds all that it has. Made by the caller. */
  readonly folder: string;
  /** Beside its socket. */
  readonly hosts?: readonly string[];
  /** The rest of daemon.json. */
  readonly configuration?: Readonly<Record<string, unknown>>;
  /** A host name that nobody else sees; absent: the one of this machine. */
  readonly hostName?: string;
}

const START_MS = 90_000;
const STOP_MS = 60_000;

/** Why there can be no daemon here; null when there can. */
export function missingForDocker(): string | null {
  if (process.getuid?.() !== 0) return 'a Docker daemon needs root';
  const lack = ['dockerd', 'containerd', 'runc', 'ip', 'nsenter', 'iptables'].filter(
    (program) => !isInstalled(program),
  );
  return lack.length === 0 ? null : `not installed: ${lack.join(', ')}`;
}

export class DockerProcess {
  readonly socket: string;
  readonly #options: DockerProcessOptions;
  #pid: number | null = null;
  /** Beginnings of folders that it makes outside of its own: Swarm's load balancers of networks have their files in one place for all. */
  readonly #outside = new Set<string>();

  constructor(options: DockerProcessOptions) {
    this.#options = options;
    this.socket = join(options.folder, 'socket');
  }

  /** Resolves when it answers. */
  async start(): Promise<void> {
    const { folder } = this.#options;
    for (const each of ['data', 'exec']) mkdirSync(join(folder, each), { recursive: true });
    rmSync(join(folder, 'pid'), { force: true });
    // A dead containerd that nobody has asked how it ended would be taken for a running one.
    const containerd = join(folder, 'exec/containerd/containerd.pid');
    if (!isAlive(Number(textOf(containerd)))) rmSync(containerd, { force: true });
    const configuration = { ...(await ownIdentity(folder)), ...this.#options.configuration };
    writeFileSync(join(folder, 'daemon.json'), JSON.stringify(configuration));
    const log = openSync(join(folder, 'log'), 'a');
    const stdio = ['ignore', log, log] as const;
    const child = start(this.#argv(), { environment: systemEnvironment, ownGroup: true, stdio: [...stdio] });
    this.#pid = child.pid ?? null;
    let over = false;
    child.once('exit', () => {
      over = true;
    });
    await until(
      'the daemon answers',
      async () => {
        if (over) throw new Error(`dockerd ended: ${readFileSync(join(folder, 'log'), 'utf8').slice(-2_000)}`);
        const ping = ['curl', '-sf', '--unix-socket', this.socket, 'http://docker/_ping'];
        return (await run(ping, { environment: systemEnvironment, timeoutMs: 5_000 })).code === 0;
      },
      START_MS,
    );
  }

  /** Ends the daemon and nothing else; its containers go on when the signal gives it no time to end them. */
  async stop(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    this.#noteOutside();
    const daemon = this.#pid;
    this.#pid = null;
    if (daemon === null) return;
    kill(daemon, signal);
    await until('the daemon is gone', () => !isAlive(daemon), STOP_MS);
  }

  /** All that runs ends at once. */
  async killAll(): Promise<void> {
    this.#noteOutside();
    const daemon = this.#pid;
    this.#pid = null;
    if (daemon !== null) kill(daemon, 'SIGKILL');
    await until('nothing of the daemon runs', () => {
      const left = this.#strays();
      for (const each of left) kill(each, 'SIGKILL');
      return left.length === 0;
    });
  }

  /** Lets go of what only a running machine has: mounts, sockets, control groups. Nothing may run any more. */
  async release(): Promise<void> {
    const { folder, name } = this.#options;
    const mounts = textOf('/proc/self/mounts')
      .split('\n')
      .map((line) => line.split(' ')[1] ?? '');
    for (const at of mounts.filter((each) => each.startsWith(`${folder}/`)).reverse())
      await attempt('umount', '-l', at);
    // Where a shim listens stands in its folder; the socket itself is in one for all of them.
    for (const note of globSync(join(folder, 'exec/containerd/daemon/*/moby/*/address'))) {
      const socket = textOf(note)
        .trim()
        .replace(/^unix:\/\//, '');
      if (socket.startsWith('/run/containerd/s/')) rmSync(socket, { force: true });
    }
    for (const each of this.#outside)
      for (const path of globSync(`/var/lib/docker/network/files/${each}*`))
        rmSync(path, { recursive: true, force: true });
    rmSync(join(folder, 'exec'), { recursive: true, force: true });
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
  }

  #noteOutside(): void {
    for (const path of globSync(join(this.#options.folder, 'exec/netns/lb_*'))) this.#outside.add(basename(path));
  }

  #argv(): string[] {
    const { folder, name, hosts = [], hostName } = this.#options;
    const program = [
      ...['dockerd', ...[`unix://${this.socket}`, ...hosts].flatMap((host) => ['--host', host])],
      ...['--data-root', join(folder, 'data'), '--exec-root', join(folder, 'exec'), '--pidfile', join(folder, 'pid')],
      ...['--cgroup-parent', `/${name}`, '--config-file', join(folder, 'daemon.json')],
    ];
    // Not `ip netns exec`, which would hide the control groups.
    const inside = ['nsenter', `--net=/run/netns/${name}`, '--'];
    if (hostName === undefined) return [...inside, ...program];
    const named = ['unshare', '--uts', 'sh', '-c', 'hostname "$1"; shift; exec "$@"', 'sh', hostName];
    return [...inside, ...named, ...program];
  }

  /** Every process that names something in the folder, or is in its control groups. */
  #strays(): number[] {
    const { folder, name } = this.#options;
    const own = readdirSync('/proc')
      .map(Number)
      .filter((each) => Number.isInteger(each) && each !== process.pid)
      .filter((each) => textOf(`/proc/${each}/cmdline`).includes(`${folder}/`));
    return [...new Set([...own, ...groupFolders(name).flatMap(groupMembers)])];
  }
}

/** Old daemons keep who they are outside of their folder, so that all of one machine were the same. */
async function ownIdentity(folder: string): Promise<object> {
  const [, major] = /version (\d+)/.exec(await command('dockerd', '--version')) ?? [];
  return Number(major) < 23 ? { 'deprecated-key-path': join(folder, 'key.json') } : {};
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {}
}

/** A zombie of ours is as good as gone. */
const isAlive = (pid: number): boolean => /^State:\s+[^ZX]/m.test(textOf(`/proc/${pid}/status`));

/** The control groups of that name in every hierarchy, outer ones first. */
export function groupFolders(name: string): string[] {
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
  textOf(join(group, 'cgroup.procs')).split('\n').filter(Boolean).map(Number);
