/**
 * One machine of the Docker engine: the instances on it, through its own daemon. Each instance is a container; what must be known of it
 * stands in its labels, so any client of the same install finds everything again. Knows of no other machine.
 */
import type {
  EngineInstance,
  ExecSession,
  ExecSpec,
  InstanceExit,
  InstanceSpec,
  InstanceStats,
} from '../../core/ports/engine.ts';
import { Adoption } from './adoption.ts';
import type { DockerApi } from './api/docker-api.ts';
import type { DaemonInfo } from './api/shapes.ts';
import { Carrier } from './carrier.ts';
import { Ending } from './ending.ts';
import { watchEvents } from './event-watch.ts';
import { exitOf } from './exit.ts';
import { Launches } from './launches.ts';
import { assemble, type NodeParts, type NodeSurroundings } from './parts.ts';
import { readStats } from './read-stats.ts';
import { type Found, hasEnded, Roster, type Seen, startingInstance } from './roster.ts';
import type { SharedParts } from './shared-parts.ts';
import { removeContainer } from './standing-container.ts';

export interface NodeOptions {
  readonly shared: SharedParts;
  readonly api: DockerApi;
  /** Makes the daemon a part of the Swarm, or finds that it is one. Rejects with `unavailable`. */
  readonly enter: () => Promise<DaemonInfo>;
  /** What its instances call it; null: as the Swarm does. */
  readonly id: () => string | null;
  readonly surroundings: NodeSurroundings;
  /** Whether the daemon may say that an instance is reached there: requests are sent to it. */
  readonly isAddress: (address: string) => boolean;
  /** Something of it may be different now. */
  readonly changed: () => void;
}

export class DockerNode {
  readonly api: DockerApi;
  readonly parts: NodeParts;
  readonly roster: Roster;
  readonly launches: Launches;
  readonly #options: NodeOptions;
  readonly #ending: Ending;
  readonly #carrier: Carrier;
  readonly #adoption: Adoption;
  readonly #closed = new AbortController();
  readonly #removing = new Map<string, Promise<void>>();
  #events: Promise<void> | null = null;
  #watching = new AbortController();
  #connection: Promise<DaemonInfo> | null = null;

  constructor(options: NodeOptions) {
    const { shared, api, changed, surroundings } = options;
    const { names, notes } = shared;
    const { logger, clock, logAppender } = shared.options;
    const { signal } = this.#closed;
    this.#options = options;
    this.api = api;
    this.parts = assemble(shared, api, surroundings);
    this.#ending = new Ending({ api, names, notes, signal, changed });
    const stop = (id: string, graceMs: number): Promise<void> => this.stop(id, graceMs);
    this.#carrier = new Carrier({ api, notes, logAppender, logger, clock, signal, stop, changed });
    this.launches = new Launches({
      now: () => clock.now(),
      launch: (spec, before, signal) => this.#launch(spec, before, signal),
      failed: (id, error) => logger.warn({ error, instance: id }, 'an instance could not be started now'),
      changed,
    });
    this.roster = new Roster({
      ...{ api, names, notes },
      nodeId: async () => options.id() ?? (await this.connected()).Swarm.NodeID,
      launching: () => this.launches.identities(),
      isAddress: options.isAddress,
      isStopping: (id) => this.#ending.isStopping(id),
      mayTellEnd: (identity) => this.#carrier.mayTellEnd(identity),
    });
    this.#adoption = new Adoption({
      ...{ shared, api, changed, signal, parts: this.parts, roster: this.roster },
      ...{ ending: this.#ending, carrier: this.#carrier },
      connected: () => this.connected(),
      isLaunching: (id) => this.launches.identity(id) !== undefined,
    });
  }

  /** From now on its events are followed, and what an earlier client left is taken over whenever the daemon comes. */
  begin(): void {
    this.#events ??= this.#watch();
  }

  /**
   * It answers again after it was silent for long: a machine that lost its power closes no connection, so events are asked for anew, and what
   * stands there is looked at when it is needed next. What is under way is left alone.
   */
  doubt(): void {
    this.#connection = null;
    this.#forgetSurroundings();
    this.#watching.abort();
    this.#events = this.#watch();
  }

  /** Lets go; instances run on. */
  async close(): Promise<void> {
    this.#closed.abort();
    this.parts.sessions.close();
    this.parts.helper.interrupt();
    // A daemon that hangs would keep whoever waits for its answer.
    this.api.close();
    await Promise.all([this.#events, this.#carrier.close()]);
    this.api.close();
  }

  /** The daemon, as a part of the Swarm; found out anew after it was away. */
  connected(): Promise<DaemonInfo> {
    this.#connection ??= this.#options.enter().catch((error: unknown) => {
      this.#connection = null;
      throw error;
    });
    return this.#connection;
  }

  /** It does not answer any more: what is asked of it fails now, and what was being started is forgotten. */
  lose(): void {
    this.launches.forget();
    this.#connection = null;
    this.#forgetSurroundings();
    this.api.lose();
  }

  /** `before` is done first; when it fails, the start did. */
  async start(spec: InstanceSpec, before: () => Promise<void> = async () => {}): Promise<EngineInstance> {
    const { Swarm } = await this.connected();
    await this.#removing.get(spec.id);
    const known = await this.roster.find(spec.id);
    const identity = known?.identity ?? this.launches.begin(spec, before);
    return startingInstance(identity, this.#options.id() ?? Swarm.NodeID);
  }

  async stop(id: string, graceMs: number): Promise<void> {
    await this.connected();
    this.launches.giveUp(id);
    await this.launches.over(id);
    const found = await this.roster.find(id);
    if (found === null) return;
    if (!hasEnded(found.details) && found.details.State.Status !== 'created') await this.#ending.end(found, graceMs);
    await this.#carrier.drained(found.identity);
  }

  remove(id: string): Promise<void> {
    const known = this.#removing.get(id);
    if (known !== undefined) return known;
    const removing = this.#remove(id).finally(() => this.#removing.delete(id));
    this.#removing.set(id, removing);
    return removing;
  }

  async list(): Promise<readonly Seen[]> {
    return this.roster.list();
  }

  async stats(ids: readonly string[]): Promise<readonly InstanceStats[]> {
    return readStats(this.api, await this.roster.containers(), ids);
  }

  async exec(id: string, spec: ExecSpec): Promise<ExecSession> {
    const { identity } = await this.#started(id);
    return this.parts.sessions.exec(identity, this.#options.shared.names.instance(id), spec);
  }

  async attach(id: string): Promise<ExecSession> {
    const { identity } = await this.#started(id);
    const name = this.#options.shared.names.instance(id);
    const ended = (): Promise<InstanceExit> => this.#untilEnded(id);
    return this.parts.sessions.attach(identity, name, ended, (signal) => this.signal(id, signal));
  }

  async signal(id: string, signal: string): Promise<void> {
    await this.#started(id);
    await this.#ending.send(id, signal);
  }

  /** For good: nothing of this install is left on the node but images, volumes and what other nodes have a part in. */
  async clear(): Promise<void> {
    await this.parts.gateways.close();
    const found = await this.roster.containers();
    await Promise.all(found.map(({ identity }) => this.remove(identity.id)));
    const pods = new Set(found.flatMap(({ identity }) => identity.podKey ?? []));
    await Promise.all([...pods].map((key) => this.parts.pods.leave(key)));
  }

  /** The last things that stand there; to be said after every network is gone. */
  async lower(): Promise<void> {
    await this.parts.firewall.lower();
    await this.parts.buildFirewall.lower();
    await this.parts.helper.remove();
  }

  #watch(): Promise<void> {
    const { shared, changed, api } = this.#options;
    const { logger } = shared.options;
    this.#watching = new AbortController();
    return watchEvents({
      ...{ api, logger, names: shared.names, signal: AbortSignal.any([this.#closed.signal, this.#watching.signal]) },
      changed: ({ role, action }) => {
        // Without a role it is somebody's own container of one of our images.
        if (role !== '' && role !== 'instance' && action === 'die') {
          this.#forgetSurroundings();
          void this.#adoption
            .restoreSpaces()
            .catch((error: unknown) => logger.warn({ error }, 'a gateway is not back yet'));
        }
        changed();
      },
      connected: () => {
        this.#forgetSurroundings();
        this.#connection = null;
        void this.#adoption.again();
      },
    });
  }

  /** Containers of the platform's own changed: they are looked at when they are needed next. */
  #forgetSurroundings(): void {
    this.#options.shared.networks.forget();
    this.parts.gateways.forget();
    this.parts.firewall.forget();
    this.parts.helper.forget();
    this.parts.stack.forget();
  }

  async #launch(spec: InstanceSpec, before: () => Promise<void>, signal: AbortSignal): Promise<void> {
    await this.#adoption.adopted();
    const started = await this.parts.launcher.launch(spec, before, signal);
    const found = await this.roster.find(spec.id);
    if (started && found !== null) this.#carrier.follow(found);
    else this.#options.shared.notes.change(spec.id, { isComplete: true });
  }

  /** Throws not-found. Waits for a start that is under way. */
  async #started(id: string): Promise<Found> {
    await this.launches.over(id);
    return this.roster.get(id);
  }

  async #untilEnded(id: string): Promise<InstanceExit> {
    await this.#ending.untilNotRunning(id);
    const { details, identity } = await this.roster.get(id);
    return exitOf(details.State, identity, this.#options.shared.notes.of(id).sent);
  }

  async #remove(id: string): Promise<void> {
    const { shared, changed } = this.#options;
    const { pods, sessions } = this.parts;
    await this.connected();
    this.launches.giveUp(id);
    await this.launches.over(id);
    const found = await this.roster.find(id);
    if (found === null) return;
    if (!hasEnded(found.details)) await this.stop(id, 0);
    else await this.#carrier.drained(found.identity);
    await removeContainer(this.api, shared.names.instance(id));
    const { podKey } = found.identity;
    if (podKey !== null) await pods.leave(podKey);
    sessions.forget(id);
    this.#carrier.forget(id);
    changed();
  }
}
