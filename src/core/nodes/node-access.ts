import type { Actor } from '../access/actor.ts';
import { demandOn } from '../access/authorize.ts';
import { invalid, notFound } from '../errors.ts';
import type { Permission } from '../permissions.ts';
import type { Pool } from '../pools/pool.ts';
import type { Stores } from '../ports/database.ts';
import type { NodeView } from './node.ts';

/** The one door to a node: by id or address. In a pool that the actor may not read it answers as if it were not there. */
export async function fetchNode(
  stores: Stores,
  actor: Actor,
  reference: string,
  permission: Permission,
): Promise<NodeView> {
  const node = await stores.nodes.find(reference);
  if (node === null) throw notFound('node', reference);
  demandOn(actor, 'node', reference, 'node.read', permission, { poolId: node.poolId });
  return node;
}

/**
 * A pool that nodes can be in, the default one unless `reference` names another. Throws invalid `engine` for one whose engine is this machine
 * alone.
 */
export async function fetchNodePool(
  stores: Stores,
  actor: Actor,
  reference: string | undefined,
  permission: Permission,
): Promise<Pool> {
  const pool = reference === undefined ? await stores.pools.findDefault() : await stores.pools.find(reference);
  if (pool === null) throw notFound('pool', reference);
  demandOn(actor, 'pool', pool.name, 'pool.read', permission, { poolId: pool.id });
  if (pool.engine === 'process')
    throw invalid('pool', `the pool ${pool.name} runs on the platform's own machine and takes no nodes`, 'engine');
  return pool;
}
