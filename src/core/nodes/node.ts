import type { Id } from '../names.ts';
import type { NodeSpec } from '../ports/engine.ts';

/** What the platform last knew of a machine; see EngineNode. */
export type NodeState = 'joining' | 'ready' | 'down';

/** A machine that instances of a pool run on. Its TLS material is not in it: see `NodeStore.specs`. */
export interface Node {
  readonly id: Id<'node'>;
  readonly poolId: Id<'pool'>;
  /** `unix:///path` or `tcp://host:port`; no two nodes have the same. */
  readonly address: string;
  /** The daemon that the platform's own settings name: it has no TLS of its own, and it cannot be removed. */
  readonly isHome: boolean;
  /** For people and other tools; the engine puts it on the machine too. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Nothing new is started there; what runs stays. */
  readonly cordoned: boolean;
  /** What runs there is moved off. Stays until uncordon or removal; implies `cordoned`. */
  readonly draining: boolean;
  /** Goes when nothing runs there any more; implies `draining`. */
  readonly removing: boolean;
  readonly state: NodeState;
  /** What is in the way, in the engine's words. */
  readonly stateMessage: string | null;
  readonly stateSince: Date;
  /** By app: how many instances were there when it went down and do not all run elsewhere yet. */
  readonly lost: Readonly<Record<string, number>>;
  readonly createdAt: Date;
}

export interface NodeView extends Node {
  readonly poolName: string;
  readonly hasTls: boolean;
  /** How many instances' rows name it. */
  readonly instances: number;
  /** Whether instances are being moved off it by `moveInstances`. */
  readonly moving: boolean;
}

export type NodeTls = NonNullable<NodeSpec['tls']>;

export interface NodeStore {
  /** By age. */
  list(): Promise<readonly NodeView[]>;
  /** By id or address. */
  find(reference: string): Promise<NodeView | null>;
  findHome(): Promise<NodeView | null>;
  /** TLS material by node, of those that have their own. Throws where it was sealed with another key. */
  tls(): Promise<ReadonlyMap<string, NodeTls>>;
  /** Throws conflict `node-exists` when the address is known. */
  insert(node: Node, tls: NodeTls | null): Promise<void>;
  /** False when it is gone. */
  update(id: Id<'node'>, change: Partial<Omit<Node, 'id' | 'createdAt'>>, tls?: NodeTls): Promise<boolean>;
  /** False when it was gone. */
  remove(id: Id<'node'>): Promise<boolean>;
}

/** One that was just made known: nothing is asked of it but to join. */
export const newNode = (
  given: Pick<Node, 'id' | 'poolId' | 'address' | 'isHome' | 'metadata'>,
  createdAt: Date,
): Node => ({
  ...given,
  cordoned: false,
  draining: false,
  removing: false,
  state: 'joining',
  stateMessage: null,
  stateSince: createdAt,
  lost: {},
  createdAt,
});

/** Whether something new may be started there. */
export const isSchedulable = (node: Pick<NodeView, 'cordoned' | 'draining' | 'removing' | 'moving'>): boolean =>
  !node.cordoned && !node.draining && !node.removing && !node.moving;

/** The label that says a node's pool, beside its metadata. */
export const POOL_LABEL = 'berth.pool';

/** The node as its engine wants it. */
export const nodeSpec = (node: NodeView, tls: NodeTls | null): NodeSpec => ({
  id: node.id,
  address: node.address,
  tls,
  poolId: node.poolId,
  schedulable: isSchedulable(node),
  labels: { ...node.metadata, [POOL_LABEL]: node.poolName },
});
