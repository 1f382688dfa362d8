/** Writes what the engine says of its nodes into their rows, with an event where one came or went. */
import { systemActor } from '../../core/access/actor.ts';
import { record } from '../../core/events/record.ts';
import type { PlacedInstance } from '../../core/instances/instance.ts';
import type { Node, NodeView } from '../../core/nodes/node.ts';
import { nodeData } from '../../core/nodes/remove-node.ts';
import type { EngineInstance, EngineNode } from '../../core/ports/engine.ts';
import type { ControlContext } from '../control-context.ts';
import type { NodesNow } from './node-moves.ts';

/** A node that was a part already may be found again for so long, after a start of the server, before it counts as down. */
const FOUND_WITHIN_MS = 30_000;

/** Of a node that no engine was told, because none of its kind is there. */
const NO_ENGINE = 'the docker engine is not in use: set BERTH_DOCKER_HOST';

type StatesContext = Pick<ControlContext, 'db' | 'clock' | 'ids' | 'box' | 'homeNode'>;
type Seen = Pick<EngineNode, 'state' | 'message'>;

export class NodeStates {
  readonly #context: StatesContext;
  /** By node, by app: how many were there when it was last well. By the time that it is down, their rows may be gone. */
  #census = new Map<string, ReadonlyMap<string, number>>();
  readonly #missingSinceMs = new Map<string, number>();

  constructor(context: StatesContext) {
    this.#context = context;
  }

  /** Gives the nodes as their rows are now. `leftovers`: what holds a node up, where its engine has nothing to say. */
  async note(
    nodes: readonly NodeView[],
    described: readonly EngineNode[],
    { placed, running }: Pick<NodesNow, 'placed' | 'running'>,
    leftovers: ReadonlyMap<string, string>,
  ): Promise<readonly NodeView[]> {
    const byId = new Map(described.map((node) => [node.id, node]));
    const after: NodeView[] = [];
    for (const node of nodes) {
      const { state, message } = this.#settled(node, byId.get(node.id) ?? this.#unknown());
      after.push(await this.#write(node, { state, message: message ?? leftovers.get(node.id) ?? null }, placed));
    }
    this.#remember(after, running);
    return after;
  }

  #unknown(): Seen {
    const { homeNode } = this.#context;
    return { state: 'joining', message: homeNode === undefined || homeNode === null ? NO_ENGINE : null };
  }

  /** A node that has not joined cannot be down; one that has, and is looked for, is as it was for a while. */
  #settled(node: Node, seen: Seen): Seen {
    if (node.state === 'joining') return seen.state === 'ready' ? seen : { ...seen, state: 'joining' };
    if (seen.state !== 'joining') {
      this.#missingSinceMs.delete(node.id);
      return seen;
    }
    const now = this.#context.clock.monotonicMs();
    const since = this.#missingSinceMs.get(node.id) ?? now;
    this.#missingSinceMs.set(node.id, since);
    return { message: seen.message, state: now - since < FOUND_WITHIN_MS ? node.state : 'down' };
  }

  async #write(node: NodeView, { state, message }: Seen, placed: readonly PlacedInstance[]): Promise<NodeView> {
    if (state === node.state && message === node.stateMessage) return node;
    const { db, clock } = this.#context;
    const turned = state !== node.state;
    const lost = turned && state === 'down' ? this.#lostWith(node, placed) : node.lost;
    const change = { state, stateMessage: message, lost, ...(turned ? { stateSince: clock.now() } : {}) };
    await db.transaction(async (stores) => {
      await stores.nodes.update(node.id, change);
      if (!turned || state === 'joining') return;
      const kind = state === 'ready' ? 'NodeReady' : 'NodeDown';
      const data = { ...nodeData(node), ...(message === null ? {} : { message }) };
      await record(this.#context, stores, systemActor, kind, {}, data);
    });
    return { ...node, ...change };
  }

  #lostWith(node: Node, placed: readonly PlacedInstance[]): Record<string, number> {
    const lost: Record<string, number> = { ...node.lost };
    for (const counts of [
      this.#census.get(node.id) ?? new Map<string, number>(),
      countByApp(node, placed.filter(isLiving)),
    ])
      for (const [appId, count] of counts) lost[appId] = Math.max(lost[appId] ?? 0, count);
    return lost;
  }

  #remember(nodes: readonly NodeView[], running: readonly EngineInstance[]): void {
    const before = this.#census;
    this.#census = new Map(
      nodes.map((node) => [
        node.id,
        node.state === 'ready'
          ? countByApp(node, running.filter(isServing))
          : (before.get(node.id) ?? new Map<string, number>()),
      ]),
    );
  }
}

const isLiving = ({ state }: PlacedInstance): boolean => state !== 'crashed';
const isServing = ({ kind, state }: EngineInstance): boolean => kind === 'process' && state !== 'exited';

function countByApp(
  { id }: Pick<Node, 'id'>,
  instances: readonly Pick<PlacedInstance | EngineInstance, 'appId' | 'nodeId'>[],
): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { appId, nodeId } of instances) if (nodeId === id) counts.set(appId, (counts.get(appId) ?? 0) + 1);
  return counts;
}
