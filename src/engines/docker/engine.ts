/**
 * The Docker engine: the port `Engine` over a daemon that is a node of a Swarm. Each instance is a container; what must be known of it stands
 * in its labels, so any client of the same install finds everything again. One client of an install carries its output to the logs.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { invalid, notFound } from '../../core/errors.ts';
import type {
  Engine,
  EngineDescription,
  EngineInstance,
  ExecSession,
  ExecSpec,
  InstanceExit,
  InstanceSpec,
  InstanceStats,
  LinkRoute,
} from '../../core/ports/engine.ts';
import type { Images } from '../../core/ports/images.ts';
import { isStatus } from './api/docker-error.ts';
import type { ContainerStats, DaemonInfo } from './api/shapes.ts';
import { Carrier } from './carrier.ts';
import { describeDaemon } from './describe.ts';
import { Ending } from './ending.ts';
import { watchEvents } from './event-watch.ts';
import { exitOf } from './exit.ts';
import { type Identity, identityOf } from './identity.ts';
import { ensureSwarm } from './network/swarm.ts';
import { assemble, type EngineParts } from './parts.ts';
import { type Found, hasEnded, Roster, startingInstance } from './roster.ts';
import type { DockerEngineOptions } from './settings.ts';
import { removeContainer } from './standing-container.ts';
import { statsOf } from './stats.ts';

export type DockerEngine = Engine & {
  readonly images: Images;
  /** Lets go; instances run on. `everything`: nothing of this install is left on the daemon but images and volumes. */
  close(options?: { readonly everything?: boolean }): Promise<void>;
};

/** Ids name containers. */
const idForm = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
const defaultAdvertiseAddress = '127.0.0.1';
const pruneMs = 60_000;
const adoptAgainMs = 500;

/** Connects on first use; every verb rejects with `unavailable` while the daemon is away. */
export function createDockerEngine(options: DockerEngineOptions): DockerEngine {
  return new DockerEngineClient(options);
}

class DockerEngineClient implements DockerEngine {
  readonly images: Images;
  readonly #options: DockerEngineOptions;
  readonly #parts: EngineParts;
  readonly #roster: Roster;
  readonly #ending: Ending;
  readonly #carrier: Carrier;
  readonly #closed = new AbortController();
  readonly #wakers = new Set<() => void>();
  readonly #launching = new Map<string, { readonly identity: Identity; readonly done: Promise<void> }>();
  readonly #removing = new Map<string, Promise<void>>();
  readonly #timer: NodeJS.Timeout;
  readonly #events: Promise<void>;
  #connection: Promise<DaemonInfo> | null = null;

  constructor(options: DockerEngineOptions) {
    this.#options = options;
    this.#parts = assemble(options);
    this.images = this.#parts.images;
    const { api, names, notes } = this.#parts;
    const { logger, clock, logAppender } = options;
    const { signal } = this.#closed;
    const changed = (): void => this.#wake();
    this.#ending = new Ending({ api, names, notes, signal, changed });
    const stop = (id: string, graceMs: number): Promise<void> => this.stop(id, graceMs);
    this.#carrier = new Carrier({ api, notes, logAppender, logger, clock, signal, stop, changed });
    this.#roster = new Roster({
      ...{ api, names, notes },
      nodeId: async () => (await this.#connected()).Swarm.NodeID,
      launching: () => [...this.#launching.values()].map(({ identity }) => identity),
      isStopping: (id) => this.#ending.isStopping(id),
      isDrained: (identity) => this.#carrier.isDrained(identity),
    });
    this.#timer = setInterval(() => void this.#prune(), pruneMs);
    this.#timer.unref();
    this.#events = watchEvents({
      ...{ api, names, logger, signal },
      changed: ({ role, action }) => {
        if (role !== 'instance' && action === 'die') {
          this.#forgetSurroundings();
          void this.#restoreSpaces().catch((error: unknown) =>
            options.logger.warn({ error }, 'a gateway is not back yet'),
          );
        }
        this.#wake();
      },
      connected: () => {
        this.#forgetSurroundings();
        this.#connection = null;
        void this.#adoptInTheEnd();
      },
    });
  }

  async close({ everything = false } = {}): Promise<void> {
    clearInterval(this.#timer);
    try {
      if (everything) await this.#removeEverything();
    } finally {
      await this.#letGo();
    }
  }

  async #letGo(): Promise<void> {
    this.#closed.abort();
    this.#parts.sessions.close();
    await Promise.all([this.#events, this.#carrier.close()]);
    this.#parts.api.close();
  }

  async describe(): Promise<EngineDescription> {
    return describeDaemon(await this.#connected(), await this.#parts.api.version());
  }

  async start(spec: InstanceSpec): Promise<EngineInstance> {
    if (!idForm.test(spec.id)) throw invalid('id', 'id must be letters, digits and inner . _ -', 'malformed');
    const { Swarm } = await this.#connected();
    await this.#removing.get(spec.id);
    const known = await this.#roster.find(spec.id);
    if (known === null && !this.#launching.has(spec.id)) this.#launch(spec);
    const identity = known?.identity ?? this.#launching.get(spec.id)?.identity;
    if (identity === undefined) throw notFound('instance');
    return startingInstance(identity, Swarm.NodeID);
  }

  async stop(id: string, graceMs: number): Promise<void> {
    await this.#connected();
    await this.#launching.get(id)?.done;
    const found = await this.#roster.find(id);
    if (found === null) return;
    if (!hasEnded(found.details) && found.details.State.Status !== 'created') await this.#ending.end(id, graceMs);
    await this.#carrier.drained(found.identity);
  }

  remove(id: string): Promise<void> {
    const known = this.#removing.get(id);
    if (known !== undefined) return known;
    const removing = this.#remove(id).finally(() => this.#removing.delete(id));
    this.#removing.set(id, removing);
    return removing;
  }

  async list(): Promise<readonly EngineInstance[]> {
    return this.#roster.list();
  }

  async stats(ids: readonly string[]): Promise<readonly InstanceStats[]> {
    const wanted = new Set(ids);
    const running = (await this.#roster.containers()).filter(
      ({ identity, summary }) => wanted.has(identity.id) && summary.State === 'running',
    );
    const query = { stream: false, 'one-shot': true };
    const found = await Promise.all(
      running.map(async ({ identity, summary }) => {
        try {
          const path = `/containers/${summary.Id}/stats`;
          return [statsOf(identity, await this.#parts.api.call<ContainerStats>('GET', path, { query }))];
        } catch (error) {
          if (isStatus(error, 404, 409)) return [];
          throw error;
        }
      }),
    );
    return found.flat();
  }

  async exec(id: string, spec: ExecSpec): Promise<ExecSession> {
    const { identity } = await this.#started(id);
    return this.#parts.sessions.exec(identity, this.#parts.names.instance(id), spec);
  }

  async attach(id: string): Promise<ExecSession> {
    const { identity } = await this.#started(id);
    const name = this.#parts.names.instance(id);
    const ended = (): Promise<InstanceExit> => this.#untilEnded(id);
    return this.#parts.sessions.attach(identity, name, ended, (signal) => this.signal(id, signal));
  }

  async signal(id: string, signal: string): Promise<void> {
    await this.#started(id);
    await this.#ending.send(id, signal);
  }

  async routeLinks(routes: readonly LinkRoute[]): Promise<void> {
    await this.#connected();
    this.#parts.table.replace(routes);
    await this.#parts.spaces.applyAll();
  }

  async removeVolume(id: string): Promise<void> {
    await this.#parts.volumes.remove(id);
  }

  volumes(): Promise<readonly string[]> {
    return this.#parts.volumes.list();
  }

  async useNodes(): Promise<void> {}

  watch(wake: () => void): () => void {
    this.#wakers.add(wake);
    return () => this.#wakers.delete(wake);
  }

  #wake(): void {
    for (const wake of this.#wakers) wake();
  }

  /** The daemon, as a manager of a Swarm; found out anew after it was away. */
  #connected(): Promise<DaemonInfo> {
    this.#connection ??= ensureSwarm(this.#parts.api, this.#options.advertiseAddress ?? defaultAdvertiseAddress).catch(
      (error: unknown) => {
        this.#connection = null;
        throw error;
      },
    );
    return this.#connection;
  }

  /** Containers of the platform's own changed: they are looked at when they are needed next. */
  #forgetSurroundings(): void {
    this.#parts.spaces.forget();
    this.#parts.firewall.forget();
    this.#parts.helper.forget();
  }

  #launch(spec: InstanceSpec): void {
    const { clock, logger } = this.#options;
    const { launcher, notes } = this.#parts;
    const identity = identityOf(spec, clock.now(), true, {});
    const launch = async (): Promise<void> => {
      try {
        await this.#adopted();
        const started = await launcher.launch(spec);
        const found = await this.#roster.find(spec.id);
        if (started && found !== null) this.#carrier.follow(found);
        else notes.change(spec.id, { isComplete: true });
      } catch (error) {
        // The daemon went away: the caller misses the instance in the list, and says it again.
        logger.warn({ error, instance: spec.id }, 'an instance could not be started now');
      } finally {
        this.#launching.delete(spec.id);
        this.#wake();
      }
    };
    // In a later turn, so that `launching` has it before it is over.
    const done = Promise.resolve().then(launch);
    this.#launching.set(spec.id, { identity, done });
    this.#wake();
  }

  /** Throws not-found. Waits for a start that is under way. */
  async #started(id: string): Promise<Found> {
    await this.#launching.get(id)?.done;
    return this.#roster.get(id);
  }

  async #untilEnded(id: string): Promise<InstanceExit> {
    await this.#ending.untilNotRunning(id);
    const { details, identity } = await this.#roster.get(id);
    return exitOf(details.State, identity, this.#parts.notes.of(id).sent);
  }

  #adopting: Promise<void> | null = null;
  /** What an earlier client left is taken over, once for each time that the daemon came. */
  #adopted(): Promise<void> {
    return this.#adopting ?? this.#adopt();
  }

  async #adoptInTheEnd(): Promise<void> {
    const { signal } = this.#closed;
    while (!signal.aborted) {
      try {
        return await this.#adopt();
      } catch (error) {
        if (signal.aborted) return;
        this.#options.logger.warn({ error }, 'instances are not taken over yet; trying again');
        await delay(adoptAgainMs, undefined, { signal }).catch(() => {});
      }
    }
  }

  #adopt(): Promise<void> {
    const adopting = this.#takeOver();
    this.#adopting = adopting;
    adopting.catch(() => {
      if (this.#adopting === adopting) this.#adopting = null;
    });
    return adopting;
  }

  async #takeOver(): Promise<void> {
    await this.#connected();
    const { api, places, sessions, stack } = this.#parts;
    const containers = await this.#roster.containers();
    for (const { identity } of containers) places.remember(identity.spaceId, identity.places);
    if (this.#options.logAppender === null) return;
    for (const { identity, summary } of containers) {
      if (this.#launching.has(identity.id) || identity.startError !== null) continue;
      const found = await this.#roster.find(identity.id);
      if (found === null) continue;
      const { Status, Error: reason } = found.details.State;
      // Made and never started: whoever wants it, and still asks, starts it anew.
      if (Status === 'created' && reason === '') await removeContainer(api, summary.Id);
      // Its streams went with the client that held them.
      else if (identity.interactive && !hasEnded(found.details) && !sessions.holds(identity.id)) {
        await this.#ending.send(identity.id, 'SIGKILL');
      } else this.#carrier.follow(found);
    }
    await this.#restoreSpaces();
    this.#wake();
    // The first start on a daemon would otherwise wait for it.
    void stack
      .ensure()
      .catch((error: unknown) => this.#options.logger.warn({ error }, 'the image for apps is missing'));
  }

  /** Gateways of spaces in which something runs come back before anybody asks. */
  async #restoreSpaces(): Promise<void> {
    if (this.#options.logAppender === null) return;
    const running = (await this.#roster.containers()).filter(({ summary }) => summary.State === 'running');
    const spaces = new Set(running.map(({ identity }) => identity.spaceId));
    await Promise.all([...spaces].map((spaceId) => this.#parts.spaces.ensure(spaceId)));
  }

  async #remove(id: string): Promise<void> {
    const { api, names, pods, sessions } = this.#parts;
    await this.#connected();
    await this.#launching.get(id)?.done;
    const found = await this.#roster.find(id);
    if (found === null) return;
    if (!hasEnded(found.details)) await this.stop(id, 0);
    else await this.#carrier.drained(found.identity);
    await removeContainer(api, names.instance(id));
    const { podKey } = found.identity;
    if (podKey !== null) await pods.leave(podKey);
    sessions.forget(id);
    await this.#carrier.forget(id);
    this.#wake();
  }

  async #prune(): Promise<void> {
    const { spaces, places } = this.#parts;
    if (this.#options.logAppender === null) return;
    try {
      const containers = await this.#roster.containers();
      const known = (): Identity[] => [
        ...containers.map(({ identity }) => identity),
        ...[...this.#launching.values()].map(({ identity }) => identity),
      ];
      await spaces.prune((spaceId) => known().some((identity) => identity.spaceId === spaceId));
      places.prune((spaceId, target) => known().some((each) => each.spaceId === spaceId && target in each.places));
    } catch (error) {
      this.#options.logger.debug({ error }, 'nothing was tidied up');
    }
  }

  async #removeEverything(): Promise<void> {
    const { api, names, spaces, firewall, pods } = this.#parts;
    const found = await this.#roster.containers();
    await Promise.all(found.map(({ identity }) => this.remove(identity.id)));
    await Promise.all(found.map(({ identity }) => (identity.podKey === null ? null : pods.leave(identity.podKey))));
    await spaces.prune(() => false);
    await firewall.lower();
    await removeContainer(api, names.helper);
  }
}
