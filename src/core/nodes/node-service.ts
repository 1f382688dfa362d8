import { type Actor, visibility } from '../access/actor.ts';
import { conflict, notFound } from '../errors.ts';
import type { EventKind } from '../events/event.ts';
import { record } from '../events/record.ts';
import type { Operation } from '../operations/operation.ts';
import type { CoreContext } from '../ports/core-context.ts';
import type { Stores } from '../ports/database.ts';
import { type Node, type NodeTls, type NodeView, newNode } from './node.ts';
import { fetchNode, fetchNodePool } from './node-access.ts';
import { changedMetadata, nodeAddress, nodeTls } from './node-input.ts';
import { cancelNodeOperations, startNodeOperation } from './node-operation.ts';
import { nodeData, removeNode } from './remove-node.ts';

export interface AddNode {
  /** `tcp://host:port` or `unix:///path`. */
  readonly address: string;
  /** Name or id; the default pool when absent. */
  readonly pool?: string;
  /** Absent: what the engine's settings say. */
  readonly tls?: NodeTls;
  readonly metadata?: Readonly<Record<string, string>>;
}

export interface UpdateNode {
  /** Null deletes a name. */
  readonly metadata?: Readonly<Record<string, string | null>>;
  readonly pool?: string;
  readonly tls?: NodeTls;
}

/** The machines of pools: which there are and what is wanted of each. What makes it so is src/control/nodes. */
export class NodeService {
  readonly #context: CoreContext;
  constructor(context: CoreContext) {
    this.#context = context;
  }

  /** Those that the actor may read, by age. */
  async list(actor: Actor, { pool }: { readonly pool?: string } = {}): Promise<readonly NodeView[]> {
    const { db } = this.#context;
    const visible = visibility(actor, 'node.read');
    const within = pool === undefined ? null : await db.pools.find(pool);
    if (pool !== undefined && (within === null || (visible !== 'all' && !visible.poolIds.includes(within.id))))
      throw notFound('pool', pool);
    return (await db.nodes.list()).filter(
      ({ poolId }) =>
        (visible === 'all' || visible.poolIds.includes(poolId)) && (within === null || poolId === within.id),
    );
  }

  /** By id or address. Needs `node.read` in its pool; without it it is not there. */
  get(actor: Actor, reference: string): Promise<NodeView> {
    return fetchNode(this.#context.db, actor, reference, 'node.read');
  }

  /**
   * Needs `node.create` in the pool. The operation has succeeded when the node is ready; until then its `stateMessage` says what is in the way.
   * Throws conflict `node-exists`.
   */
  async add(actor: Actor, input: AddNode): Promise<{ readonly node: NodeView; readonly operation: Operation }> {
    const { db, ids, clock } = this.#context;
    const pool = await fetchNodePool(db, actor, input.pool, 'node.create');
    const given = {
      id: ids.id(),
      poolId: pool.id,
      address: nodeAddress(input.address),
      isHome: false,
      metadata: changedMetadata({}, input.metadata ?? {}),
    };
    const node = newNode(given, clock.now());
    const tls = input.tls === undefined ? null : nodeTls(input.tls);
    return db.transaction(async (stores) => {
      await stores.nodes.insert(node, tls);
      const view: NodeView = { ...node, poolName: pool.name, hasTls: tls !== null, instances: 0, moving: false };
      await this.#record(stores, actor, 'NodeAdded', view);
      return { node: view, operation: await startNodeOperation(this.#context, stores, 'node-add', node.id) };
    });
  }

  /**
   * Needs `node.update`, in both pools when it changes its pool. What runs there and belongs to the former pool is moved off. Throws conflict
   * `home-node` for the TLS material of the daemon of the platform's own settings.
   */
  async update(actor: Actor, reference: string, change: UpdateNode): Promise<NodeView> {
    const { db } = this.#context;
    const node = await fetchNode(db, actor, reference, 'node.update');
    const pool = change.pool === undefined ? null : await fetchNodePool(db, actor, change.pool, 'node.update');
    if (node.isHome && change.tls !== undefined)
      throw conflict('home-node', 'the TLS material of this node is that of BERTH_DOCKER_TLS: change it there', 'node');
    const tls = change.tls === undefined ? undefined : nodeTls(change.tls);
    const after: NodeView = {
      ...node,
      metadata: changedMetadata(node.metadata, change.metadata ?? {}),
      ...(pool === null ? {} : { poolId: pool.id, poolName: pool.name }),
      hasTls: node.hasTls || tls !== undefined,
    };
    await db.transaction(async (stores) => {
      // Nothing else, for somebody may be changing that.
      const changed = {
        ...(change.metadata === undefined ? {} : { metadata: after.metadata }),
        ...(pool === null ? {} : { poolId: pool.id }),
      };
      await set(stores, node, changed, tls);
      await this.#record(stores, actor, 'NodeUpdated', after, { changed: Object.keys(change) });
      await stores.wake('node', node.id);
    });
    return after;
  }

  /** Nothing new is started there; what runs stays. Needs `node.update`. */
  cordon(actor: Actor, reference: string): Promise<NodeView> {
    return this.#mark(actor, reference, 'cordon', { cordoned: true });
  }

  /** Also ends a drain or a removal, and `moveInstances`. Needs `node.update`. */
  uncordon(actor: Actor, reference: string): Promise<NodeView> {
    return this.#mark(actor, reference, 'uncordon', { cordoned: false, draining: false, removing: false });
  }

  /**
   * What runs there is replaced elsewhere, each app by its own strategy. Needs `node.update`. The operation has succeeded when nothing of it
   * is left; it stays empty until `uncordon`.
   */
  async drain(actor: Actor, reference: string): Promise<Operation> {
    const node = await fetchNode(this.#context.db, actor, reference, 'node.update');
    return this.#context.db.transaction(async (stores) => {
      await set(stores, node, { cordoned: true, draining: true });
      await this.#record(stores, actor, 'NodeUpdated', node, { changed: ['drain'] });
      return this.#startAnew(stores, node, 'node-drain');
    });
  }

  /**
   * Needs `node.delete`. Drains it first, and it goes when nothing runs there and no volume lies there any more; with `force` at once: what ran
   * there is started elsewhere, and the volumes there are given up, so that their next instances begin with empty ones.
   * The operation has succeeded when it is gone. Throws conflict `home-node` for the daemon of the platform's own settings.
   */
  async remove(actor: Actor, reference: string, { force = false } = {}): Promise<Operation> {
    const node = await fetchNode(this.#context.db, actor, reference, 'node.delete');
    if (node.isHome)
      throw conflict('home-node', 'this node is the one of BERTH_DOCKER_HOST; it can be drained, not removed', 'node');
    return this.#context.db.transaction(async (stores) => {
      const operation = await this.#startAnew(stores, node, 'node-remove');
      if (!force) {
        await set(stores, node, { cordoned: true, draining: true, removing: true });
        await this.#record(stores, actor, 'NodeUpdated', node, { changed: ['remove'] });
        return operation;
      }
      await removeNode(this.#context, stores, actor, node, { force });
      return (await stores.operations.find(operation.id)) ?? operation;
    });
  }

  async #mark(actor: Actor, reference: string, what: string, change: Partial<Node>): Promise<NodeView> {
    const node = await fetchNode(this.#context.db, actor, reference, 'node.update');
    await this.#context.db.transaction(async (stores) => {
      await set(stores, node, change);
      if (change.cordoned === false)
        await cancelNodeOperations(stores, node.id, ['node-drain', 'node-remove', 'node-move'], 'it was uncordoned');
      await this.#record(stores, actor, 'NodeUpdated', node, { changed: [what] });
      await stores.wake('node', node.id);
    });
    return { ...node, ...change, moving: node.moving && change.cordoned !== false };
  }

  /** One that is under way for the same is over: the new one goes on with it. */
  async #startAnew(stores: Stores, node: NodeView, kind: 'node-drain' | 'node-remove'): Promise<Operation> {
    await cancelNodeOperations(stores, node.id, [kind], 'it was asked for again');
    return startNodeOperation(this.#context, stores, kind, node.id);
  }

  async #record(
    stores: Stores,
    actor: Actor,
    kind: EventKind,
    node: NodeView,
    data: Readonly<Record<string, unknown>> = {},
  ): Promise<void> {
    await record(this.#context, stores, actor, kind, {}, { ...nodeData(node), ...data });
  }
}

/** Throws not-found when somebody removed it in the meantime. */
async function set(stores: Stores, { id, address }: NodeView, change: Partial<Node>, tls?: NodeTls): Promise<void> {
  if (!(await stores.nodes.update(id, change, tls))) throw notFound('node', address);
}
