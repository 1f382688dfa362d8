import { type Actor, can } from '../access/actor.ts';
import { fetchApp } from '../apps/app-access.ts';
import { invalid, notFound } from '../errors.ts';
import { record } from '../events/record.ts';
import { isMoved } from '../instances/generation.ts';
import type { PlacedInstance } from '../instances/instance.ts';
import type { Id } from '../names.ts';
import type { Operation } from '../operations/operation.ts';
import type { CoreContext } from '../ports/core-context.ts';
import type { Stores } from '../ports/database.ts';
import { isExclusive } from '../processes/pod.ts';
import { isSchedulable, type NodeView } from './node.ts';
import { fetchNode, fetchNodePool } from './node-access.ts';
import { startNodeOperation } from './node-operation.ts';
import { type Balanced, planRebalance } from './rebalance.ts';

export interface MoveProgress {
  readonly operation: Operation;
  /** Instances that have still to be moved. */
  readonly left: number;
  /** What the engine says is in the way of the node, or null. */
  readonly message: string | null;
}

/**
 * Moves instances between nodes. To move one is to give it another generation: so its release's own strategy replaces it, under the promises
 * of a deploy, and the placement puts the new one where there is room.
 */
export class MoveService {
  readonly #context: CoreContext;
  constructor(context: CoreContext) {
    this.#context = context;
  }

  /**
   * Off a node, all or those of one app; nothing new is started there meanwhile. Needs `node.update.move.containers` in its pool. The
   * operation has succeeded when none of them is there any more.
   */
  async moveInstances(actor: Actor, reference: string, { app }: { readonly app?: string } = {}): Promise<Operation> {
    const { db } = this.#context;
    const permission = 'node.update.move.containers';
    const node = await fetchNode(db, actor, reference, permission);
    const only = app === undefined ? null : await fetchApp(db, actor, app, permission);
    return db.transaction((stores) =>
      startNodeOperation(this.#context, stores, 'node-move', node.id, only?.id ?? null),
    );
  }

  /**
   * Evens out what nodes of a pool (the default one) carry, or one app's instances alone, with the fewest moves. Nodes that take nothing new
   * are left as they are, and so are instances with volumes and pods. Needs `node.update.rebalance` in the pool. The operation has succeeded
   * when what replaces them is ready, and failed when that crashes. Throws invalid `pool` when both are named.
   */
  async rebalance(
    actor: Actor,
    { pool: poolReference, app: appReference }: { readonly pool?: string; readonly app?: string } = {},
  ): Promise<{ readonly operation: Operation; readonly moved: number }> {
    const { db, clock } = this.#context;
    const permission = 'node.update.rebalance';
    if (poolReference !== undefined && appReference !== undefined)
      throw invalid('pool', 'a pool is evened out or an app in its own, not both', 'conflicting');
    const app = appReference === undefined ? null : await fetchApp(db, actor, appReference, permission);
    const pool = await fetchNodePool(db, actor, app?.poolId ?? poolReference, permission);
    const chosen = await this.#plan(pool.id, app?.id ?? null);
    return db.transaction(async (stores) => {
      for (const appId of await stores.instances.move(chosen, clock.now())) await stores.wake('app', appId);
      const data = { pool: pool.name, ...(app === null ? {} : { app: app.handle }), moved: chosen.length };
      await record(this.#context, stores, actor, 'NodesRebalanced', app === null ? {} : { app }, data);
      const operation = await startNodeOperation(this.#context, stores, 'rebalance', pool.id, app?.id ?? null);
      return { operation, moved: chosen.length };
    });
  }

  /** How far an operation of this service or of `NodeService` is. Needs `node.read` where it works. */
  async progress(actor: Actor, operationId: string): Promise<MoveProgress> {
    const { db } = this.#context;
    const operation = await db.operations.find(operationId);
    if (operation === null) throw notFound('operation', operationId);
    const node = operation.subjectId === null ? null : await db.nodes.find(operation.subjectId);
    const place = operation.kind === 'rebalance' ? operation.subjectId : (node?.poolId ?? null);
    if (!can(actor, 'node.read', place === null ? {} : { poolId: place })) throw notFound('operation', operationId);
    const left = leftOf(operation, await db.instances.placed()).length;
    const isStuck = left > 0 && node !== null && !(await db.nodes.list()).some((other) => takesOver(other, node));
    const message = isStuck ? 'no other node of its pool takes instances' : (node?.stateMessage ?? null);
    return { operation, left, message };
  }

  async #plan(poolId: Id<'pool'>, appId: Id<'app'> | null): Promise<readonly Id<'instance'>[]> {
    const { db } = this.#context;
    const [nodes, placed] = await Promise.all([db.nodes.list(), db.instances.placed()]);
    const there = placed.filter((row) => row.poolId === poolId && row.state === 'ready' && !isMoved(row.generation));
    const movable = await movableProcesses(db, new Set(there.map((row) => row.appId)));
    const usable = nodes.filter((node) => node.poolId === poolId && takesNew(node)).map(({ id }) => id);
    return planRebalance(
      usable,
      there.flatMap((row): Balanced[] => {
        const group = groupOf(row);
        const isChosen = (appId === null || row.appId === appId) && movable.has(group);
        return row.nodeId === null ? [] : [{ id: row.id, nodeId: row.nodeId, group, movable: isChosen }];
      }),
    );
  }
}

const takesNew = (node: NodeView): boolean => isSchedulable(node) && node.state === 'ready';

const takesOver = (other: NodeView, node: NodeView): boolean =>
  other.id !== node.id && other.poolId === node.poolId && takesNew(other);

const groupOf = ({ appId, processType }: Pick<PlacedInstance, 'appId' | 'processType'>): string =>
  `${appId} ${processType}`;

/** Those whose instances may sit beside each other, and leave nothing behind. */
async function movableProcesses(stores: Stores, appIds: ReadonlySet<Id<'app'>>): Promise<ReadonlySet<string>> {
  const processes = await stores.processes.listOf([...appIds]);
  return new Set(
    processes
      .filter((process) => !isExclusive(process) && process.mounts.length === 0)
      .map(({ appId, type }) => groupOf({ appId, processType: type })),
  );
}

/** The instances that an operation on nodes still waits for, as the rows know them. */
export function leftOf(
  { kind, subjectId, appId }: Pick<Operation, 'kind' | 'subjectId' | 'appId'>,
  placed: readonly PlacedInstance[],
): readonly PlacedInstance[] {
  if (kind === 'node-add') return [];
  const within = placed.filter((row) => appId === null || row.appId === appId);
  if (kind === 'rebalance') return within.filter((row) => row.poolId === subjectId && isMoved(row.generation));
  return within.filter((row) => row.nodeId === subjectId);
}
