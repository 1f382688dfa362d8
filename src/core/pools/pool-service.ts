import { type Actor, can, visibility } from '../access/actor.ts';
import { demand, demandOn } from '../access/authorize.ts';
import { conflict, invalid, notFound } from '../errors.ts';
import { record } from '../events/record.ts';
import { poolName } from '../names.ts';
import type { CoreContext } from '../ports/core-context.ts';
import type { Pool } from './pool.ts';

/** Kinds of engine that an operator may make pools of. */
const poolEngines = ['process', 'docker'];

/** Where apps run: each space belongs to a pool, and a pool to an engine. */
export class PoolService {
  readonly #context: CoreContext;
  constructor(context: CoreContext) {
    this.#context = context;
  }

  /** By name; those that the actor may read. */
  async list(actor: Actor): Promise<readonly Pool[]> {
    const visible = visibility(actor, 'pool.read');
    const pools = await this.#context.db.pools.list();
    return visible === 'all' ? pools : pools.filter((pool) => visible.poolIds.includes(pool.id));
  }

  /** By id or name. Needs `pool.read` there; without it it is not there. */
  async get(actor: Actor, reference: string): Promise<Pool> {
    const pool = await this.#context.db.pools.find(reference);
    if (pool === null || !can(actor, 'pool.read', { poolId: pool.id })) throw notFound('pool', reference);
    return pool;
  }

  /** Needs `pool.create`. `engine` is `process` or `docker`. Throws conflict `pool-exists`. */
  async create(actor: Actor, input: { readonly name: string; readonly engine: string }): Promise<Pool> {
    demand(actor, 'pool.create');
    if (!poolEngines.includes(input.engine))
      throw invalid('engine', `the engine of a pool is one of ${poolEngines.join(', ')}`, 'unknown-engine');
    const pool: Pool = {
      id: this.#context.ids.id(),
      name: poolName(input.name),
      engine: input.engine,
      isDefault: false,
      createdAt: this.#context.clock.now(),
    };
    await this.#context.db.transaction(async (stores) => {
      await stores.pools.insert(pool);
      await record(this.#context, stores, actor, 'PoolCreated', {}, { pool: pool.name, engine: pool.engine });
      await stores.wake('node', '*');
    });
    return pool;
  }

  /** Needs `pool.delete` there. Throws conflict while it has spaces, apps or nodes, and for the default one. */
  async remove(actor: Actor, reference: string): Promise<Pool> {
    const pool = await this.#context.db.pools.find(reference);
    if (pool === null) throw notFound('pool', reference);
    demandOn(actor, 'pool', reference, 'pool.read', 'pool.delete', { poolId: pool.id });
    if (pool.isDefault) throw conflict('default-pool', 'the default pool cannot be removed', 'pool');
    await this.#context.db.transaction(async (stores) => {
      await stores.pools.remove(pool.id);
      await record(this.#context, stores, actor, 'PoolRemoved', {}, { pool: pool.name });
    });
    return pool;
  }
}
