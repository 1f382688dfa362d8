import { systemActor } from '../../core/access/actor.ts';
import { record } from '../../core/events/record.ts';
import { newNode } from '../../core/nodes/node.ts';
import { nodeData } from '../../core/nodes/remove-node.ts';
import type { Pool } from '../../core/pools/pool.ts';
import type { Stores } from '../../core/ports/database.ts';
import type { ControlContext } from '../control-context.ts';

type HomeContext = Pick<ControlContext, 'db' | 'clock' | 'ids' | 'box' | 'homeNode'>;

/**
 * The machine that the platform's own settings name is a node from the first moment: an engine whose table is empty would list none of what
 * runs there. It is in the default pool when that is of its engine, else in the oldest that is. Safe for several servers at once.
 */
export async function ensureHomeNode(context: HomeContext): Promise<void> {
  const { db, homeNode } = context;
  if (homeNode === undefined || homeNode === null) return;
  const known = await db.nodes.findHome();
  if (known?.address === homeNode.address) return;
  await db.transaction(async (stores) => {
    const home = await stores.nodes.findHome();
    const there = await stores.nodes.find(homeNode.address);
    if (home !== null && there?.id !== home.id) {
      // The settings name another machine now: what was added by hand stays what it was.
      if (there === null) return void (await stores.nodes.update(home.id, { address: homeNode.address }));
      await stores.nodes.update(home.id, { isHome: false });
    }
    if (there !== null) return void (await stores.nodes.update(there.id, { isHome: true }));
    const pool = await poolOf(stores, homeNode.engine);
    if (pool !== null) await insert(context, stores, homeNode.address, pool);
  });
}

async function poolOf(stores: Stores, engine: string): Promise<Pool | null> {
  const own = (await stores.pools.list()).filter((pool) => pool.engine === engine);
  const oldest = own.toSorted((one, other) => one.createdAt.getTime() - other.createdAt.getTime())[0];
  return own.find((pool) => pool.isDefault) ?? oldest ?? null;
}

async function insert(context: HomeContext, stores: Stores, address: string, pool: Pool): Promise<void> {
  const given = { id: context.ids.id(), poolId: pool.id, address, isHome: true, metadata: {} };
  const node = newNode(given, context.clock.now());
  await stores.nodes.insert(node, null);
  await record(context, stores, systemActor, 'NodeAdded', {}, nodeData({ ...node, poolName: pool.name }));
}
