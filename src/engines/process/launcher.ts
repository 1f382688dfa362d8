/** Gets everything ready that a unit runs in (user, network, port, files, limits), then spawns it. */
import { chmodSync, chownSync, mkdirSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { linkVariables } from '../../core/instances/link-variables.ts';
import type { InstanceCommand } from '../../core/ports/engine.ts';
import { run } from '../../lib/exec.ts';
import type { EtcFiles } from './etc-files.ts';
import { unitScript } from './inner-script.ts';
import type { Links } from './links.ts';
import { type Machine, nodeFolder } from './machine.ts';
import type { Network } from './network/network.ts';
import type { Networks } from './network/networks.ts';
import type { Ports } from './ports.ts';
import { terminalCommand } from './pty-helper.ts';
import { type FolderBinding, type SandboxPlan, unitArguments } from './sandbox-arguments.ts';
import { helperEnvironment, markName } from './settings.ts';
import { checkMounts, hostNames, linkEnds, volumeBindings } from './surroundings.ts';
import type { Uids } from './uids.ts';
import type { Unit } from './unit.ts';
import { putUploads } from './uploads.ts';
import type { Volumes } from './volumes.ts';
import type { PlainEnvironment, PlainInstanceSpec, PlainJobSpec } from './wire.ts';
import type { WorkingCopies } from './working-copies.ts';

export interface LauncherParts {
  readonly machine: Machine;
  readonly uids: Uids;
  readonly ports: Ports;
  /** Null where spaces share the host's network. */
  readonly networks: Networks | null;
  readonly links: Links;
  readonly volumes: Volumes;
  readonly copies: WorkingCopies;
  readonly etc: EtcFiles;
  readonly nodePath: string;
  readonly hostEnvironment: PlainEnvironment;
}

const loopback = '127.0.0.1';

export class Launcher {
  readonly #parts: LauncherParts;
  readonly #node: ReturnType<typeof nodeFolder>;
  constructor(parts: LauncherParts) {
    this.#parts = parts;
    this.#node = nodeFolder(parts.nodePath);
  }

  /** The unprivileged user of an app, or of a space's builds; null where the agent cannot change users or shall not. */
  uidOf(owner: string): number | null {
    return this.#parts.machine.sandbox === 'root' ? this.#parts.uids.of(owner) : null;
  }

  /** A failure ends the unit with `startError`; this never rejects. */
  async startInstance(unit: Unit, spec: PlainInstanceSpec): Promise<void> {
    await this.#guarded(unit, async () => {
      const { machine, copies, volumes } = this.#parts;
      const { uid } = unit.state;
      checkMounts(spec.mounts, machine.sandbox === 'none' ? machine.missing.join('; ') : null);
      const [app, network, ends] = await Promise.all([
        copies.make({ folder: unit.folder, digest: spec.artifactDigest, appId: spec.appId, uid }),
        this.#network(unit),
        linkEnds(spec, this.#parts.links),
      ]);
      const port = await this.#port(unit, spec, network);
      const inside = machine.sandbox === 'none' ? app : '/app';
      const command = wordsOf(spec.command);
      const whole = {
        ...this.#baseEnvironment(inside),
        ...this.#parts.hostEnvironment,
        ...(network === null ? {} : { BERTH_HOST_ADDRESS: network.gateway }),
        ...linkVariables(spec.appHandle, ends),
        ...spec.environment,
        ...(port === null ? {} : { PORT: String(port) }),
        [markName]: spec.id,
      };
      const argv = spec.terminal === undefined ? command : terminalCommand(spec.terminal, command);
      const script = unitScript(
        spec.terminal === undefined ? whole : { TERM: 'xterm-256color', ...whole },
        argv,
        unit.state.interactive,
      );
      const bindings = await volumeBindings(spec.mounts, volumes, app, uid);
      const folders = [{ host: app, inside: '/app', writable: true }, ...bindings];
      const plan = this.#plan(unit, network, folders, inside, [], hostNames(network?.gateway ?? null, ends));
      await putUploads(spec.uploads ?? [], plan);
      await unit.launch({
        argv: unitArguments(plan, script.argv),
        script,
        cwd: machine.sandbox === 'none' ? app : '/',
        terminal: spec.terminal !== undefined,
      });
    });
  }

  async startJob(unit: Unit, spec: PlainJobSpec): Promise<void> {
    await this.#guarded(unit, async () => {
      const { machine } = this.#parts;
      const network = spec.network ? await this.#network(unit) : null;
      if (unit.state.uid !== null) await this.#giveFolders(spec.folders, unit.state.uid);
      const first = spec.folders[0]?.inside ?? '/tmp';
      const inside = spec.workingFolder ?? first;
      const sandboxed = machine.sandbox !== 'none';
      const home = sandboxed ? first : (spec.folders[0]?.host ?? unit.folder);
      const place = (text: string): string => (sandboxed ? text : hostPath(text, spec.folders));
      const whole = {
        ...this.#baseEnvironment(home),
        ...this.#parts.hostEnvironment,
        ...Object.fromEntries(Object.entries(spec.environment).map(([name, value]) => [name, place(value)])),
        [markName]: spec.id,
      };
      const script = unitScript(whole, spec.command.map(place), false);
      const hosts = hostNames(network?.gateway ?? null, []);
      const plan = this.#plan(unit, network, spec.folders, inside, machine.lowPriority, hosts);
      const argv = unitArguments({ ...plan, unshareNetwork: sandboxed && !spec.network }, script.argv);
      await unit.launch({ argv, script, cwd: sandboxed ? '/' : place(inside), terminal: false });
    });
  }

  async #guarded(unit: Unit, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      unit.fail(error instanceof Error ? error.message : 'it could not be started');
    }
  }

  /** Null: the host's. */
  async #network(unit: Unit): Promise<Network | null> {
    const { networks } = this.#parts;
    const { spaceId, networkKey } = unit.state;
    if (networks === null) return null;
    return networkKey === undefined || networkKey === null
      ? networks.shared(spaceId)
      : networks.own(networkKey, spaceId);
  }

  /** The port for `$PORT`, noted with the unit; null where it has none. A number holds only in a network of its own. */
  async #port(unit: Unit, spec: PlainInstanceSpec, network: Network | null): Promise<number | null> {
    const numbered = spec.ports === 'any' ? null : (spec.ports[0] ?? null);
    if (spec.ports !== 'any' && numbered === null) return null;
    const allocatedPort = numbered === null || network === null ? await this.#parts.ports.take(network === null) : null;
    const port = allocatedPort ?? numbered ?? 0;
    const isAlone = unit.state.networkKey !== null && (spec.pod ?? null) === null;
    unit.update({
      address: { host: network?.address ?? loopback, port },
      allocatedPort,
      ownInterface: isAlone ? (network?.interface ?? null) : null,
    });
    return port;
  }

  #baseEnvironment(home: string): PlainEnvironment {
    const node =
      this.#node === null ? [] : [this.#node.inside.endsWith('/bin') ? this.#node.inside : `${this.#node.inside}/bin`];
    // Without a sandbox the runtime stays where it is.
    const runtime = this.#parts.machine.sandbox === 'none' ? [join(this.#parts.nodePath, '..')] : node;
    return {
      PATH: [...runtime, '/usr/local/bin', '/usr/bin', '/bin'].join(':'),
      HOME: home,
      LANG: 'C.UTF-8',
      USER: 'app',
      LOGNAME: 'app',
      SHELL: '/bin/sh',
    };
  }

  #plan(
    unit: Unit,
    network: Network | null,
    folders: readonly FolderBinding[],
    workingFolder: string,
    lowPriority: readonly string[],
    hosts: Readonly<Record<string, string>>,
  ): SandboxPlan {
    const { machine } = this.#parts;
    const { uid, id, limits } = unit.state;
    const temporaryFolder = join(unit.folder, 'tmp');
    const hostname = (unit.state.appHandle || 'build').slice(0, 63);
    let etc: SandboxPlan['etc'] = [];
    if (machine.sandbox !== 'none') {
      mkdirSync(temporaryFolder, { recursive: true });
      chmodSync(temporaryFolder, 0o1777);
      if (uid !== null) chownSync(temporaryFolder, uid, uid);
      etc = this.#parts.etc.forUnit(join(unit.folder, 'etc'), uid ?? 0, hostname, network !== null, hosts);
    }
    return {
      cgroupFolders: machine.cgroups?.create(id, limits) ?? [],
      networkNamespace: network?.namespace ?? null,
      unshareNetwork: false,
      lowPriority,
      mode: machine.sandbox,
      hostname,
      etc,
      folders,
      temporaryFolder,
      workingFolder,
      nodeFolder: this.#node,
      uid,
    };
  }

  /** Writable folders become the build user's; a folder that is already costs one look. */
  async #giveFolders(folders: readonly FolderBinding[], uid: number): Promise<void> {
    for (const folder of folders) {
      if (!folder.writable || (await stat(folder.host)).uid === uid) continue;
      const argv = ['chown', '-Rh', '--', `${uid}:${uid}`, folder.host];
      const result = await run(argv, { environment: helperEnvironment, timeoutMs: 600_000 });
      if (result.code !== 0) throw new Error('a folder of the job cannot be given to its user');
    }
  }
}

/** A path inside as it lies on the host, for jobs that run without a sandbox; any other text stays as it is. */
function hostPath(inside: string, folders: readonly FolderBinding[]): string {
  for (const folder of folders) {
    if (inside === folder.inside || inside.startsWith(`${folder.inside}/`)) {
      return join(folder.host, inside.slice(folder.inside.length));
    }
  }
  return inside;
}

/** Throws where only an image could say what to run. */
function wordsOf(command: InstanceCommand): string[] {
  if (typeof command === 'string') return ['/bin/sh', '-c', command];
  if ('arguments' in command) throw new Error('only an image has an entrypoint of its own, and this is none');
  return [...command];
}
