/**
 * Several engines as one: an instance is started by the engine of its pool, and everything else is done by the engine that has it. When one of
 * them does not answer there is no list at all: what is not listed counts as lost.
 */
import { notFound, unavailable } from '../core/errors.ts';
import type {
  Engine,
  EngineDescription,
  EngineInstance,
  ExecSession,
  ExecSpec,
  InstanceSpec,
  InstanceStats,
  LinkRoute,
  NodeSpec,
  VolumeLeft,
} from '../core/ports/engine.ts';

export interface PooledEngineOptions {
  /** By kind, as pools name it. */
  readonly engines: Readonly<Record<string, Engine>>;
  /** Of an instance that names no pool. */
  readonly fallback: string;
  /** The kind of a pool's engine, and of the engine of a space's pool; null where there is none of that id. */
  readonly kindOfPool: (poolId: string) => Promise<string | null>;
  readonly kindOfSpace: (spaceId: string) => Promise<string | null>;
}

/**
 * Until it was told its nodes it lists nothing and rejects. Verbs of instances that nobody has do what they do on one engine: `stop` and
 * `remove` nothing, the others throw not-found.
 */
export function createPooledEngine(options: PooledEngineOptions): Engine {
  return new PooledEngine(options);
}

class PooledEngine implements Engine {
  readonly #options: PooledEngineOptions;
  readonly #engines: readonly Engine[];
  /** Who has which instance, as far as it was seen. */
  readonly #owners = new Map<string, Engine>();
  /** Whether `useNodes` was called: before that an engine may not know where to look. */
  #isTold = false;

  constructor(options: PooledEngineOptions) {
    this.#options = options;
    this.#engines = Object.values(options.engines);
  }

  /** The nodes of all; the isolation is that of the fallback's engine, which runs the default pool. */
  async describe(): Promise<EngineDescription> {
    const { engines, fallback } = this.#options;
    const each = await Promise.all(
      Object.entries(engines).map(async ([kind, engine]) => ({ kind, description: await engine.describe() })),
    );
    const own = each.find(({ kind }) => kind === fallback);
    return {
      kind: own?.description.kind ?? fallback,
      nodes: each.flatMap(({ description }) => description.nodes),
      isolation: own?.description.isolation ?? [],
    };
  }

  async start(spec: InstanceSpec): Promise<EngineInstance> {
    const kind = spec.poolId === undefined ? this.#options.fallback : await this.#options.kindOfPool(spec.poolId);
    const engine = this.#ofKind(kind);
    if (engine === null) throw unavailable(`the engine of its pool (${kind ?? 'none'}) is not in use on this platform`);
    const started = await engine.start(spec);
    this.#owners.set(spec.id, engine);
    return started;
  }

  async stop(id: string, graceMs: number): Promise<void> {
    await (await this.#owner(id))?.stop(id, graceMs);
  }

  async remove(id: string): Promise<void> {
    await (await this.#owner(id))?.remove(id);
    this.#owners.delete(id);
  }

  async list(): Promise<readonly EngineInstance[]> {
    if (!this.#isTold) throw unavailable('the nodes are not known yet');
    const before = [...this.#owners.keys()];
    const lists = await Promise.all(this.#engines.map(async (engine) => ({ engine, own: await engine.list() })));
    const listed = new Map(lists.flatMap(({ engine, own }) => own.map(({ id }) => [id, engine] as const)));
    // What was started meanwhile may not be in it.
    for (const id of before) if (!listed.has(id)) this.#owners.delete(id);
    for (const [id, engine] of listed) this.#owners.set(id, engine);
    return lists.flatMap(({ own }) => own);
  }

  async stats(ids: readonly string[]): Promise<readonly InstanceStats[]> {
    if (ids.some((id) => !this.#owners.has(id))) await this.list();
    const each = await Promise.all(
      this.#engines.map((engine) => {
        const own = ids.filter((id) => this.#owners.get(id) === engine);
        return own.length === 0 ? [] : engine.stats(own);
      }),
    );
    return each.flat();
  }

  async exec(id: string, spec: ExecSpec): Promise<ExecSession> {
    return (await this.#has(id)).exec(id, spec);
  }

  async attach(id: string): Promise<ExecSession> {
    return (await this.#has(id)).attach(id);
  }

  async signal(id: string, signal: string): Promise<void> {
    await (await this.#has(id)).signal(id, signal);
  }

  async routeLinks(routes: readonly LinkRoute[]): Promise<void> {
    const kinds = await this.#kinds(
      routes.map(({ spaceId }) => spaceId),
      this.#options.kindOfSpace,
    );
    await this.#toEach((engine) =>
      engine.routeLinks(routes.filter(({ spaceId }) => this.#ofKind(kinds.get(spaceId) ?? null) === engine)),
    );
  }

  async removeVolume(id: string): Promise<void> {
    await this.#toEach((engine) => engine.removeVolume(id));
  }

  async volumes(): Promise<readonly string[]> {
    const each = await Promise.all(this.#engines.map((engine) => engine.volumes()));
    return [...new Set(each.flat())];
  }

  async carryVolumes(nodeId: string): Promise<readonly VolumeLeft[]> {
    const each = await Promise.all(this.#engines.map((engine) => engine.carryVolumes(nodeId)));
    return each.flat();
  }

  async useNodes(nodes: readonly NodeSpec[]): Promise<void> {
    const kinds = await this.#kinds(
      nodes.map(({ poolId }) => poolId),
      this.#options.kindOfPool,
    );
    await this.#toEach((engine) =>
      engine.useNodes(nodes.filter(({ poolId }) => this.#ofKind(kinds.get(poolId) ?? null) === engine)),
    );
    this.#isTold = true;
  }

  watch(wake: () => void): () => void {
    const ends = this.#engines.map((engine) => engine.watch(wake));
    return () => {
      for (const end of ends) end();
    };
  }

  #ofKind(kind: string | null): Engine | null {
    const { engines } = this.#options;
    return kind !== null && Object.hasOwn(engines, kind) ? (engines[kind] ?? null) : null;
  }

  async #owner(id: string): Promise<Engine | null> {
    if (!this.#owners.has(id)) await this.list();
    return this.#owners.get(id) ?? null;
  }

  async #has(id: string): Promise<Engine> {
    const engine = await this.#owner(id);
    if (engine === null) throw notFound('instance');
    return engine;
  }

  async #kinds(
    ids: readonly string[],
    find: (id: string) => Promise<string | null>,
  ): Promise<ReadonlyMap<string, string | null>> {
    const kinds = new Map<string, string | null>();
    for (const id of new Set(ids)) kinds.set(id, await find(id));
    return kinds;
  }

  /** All are told, also when one of them fails; then it throws. */
  async #toEach(tell: (engine: Engine) => Promise<void>): Promise<void> {
    const outcomes = await Promise.allSettled(this.#engines.map(tell));
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  }
}
