/**
 * Which machine a new instance goes to. Pure: a snapshot in, one node or the reason for none out; who asks twice with the same gets the same.
 * Used by every engine of several machines.
 */
import type { InstanceSpec } from '../../core/ports/engine.ts';

export type Wanted = Pick<InstanceSpec, 'appId' | 'processType' | 'poolId' | 'limits' | 'pod' | 'mounts'>;

export interface PlacementNode {
  readonly id: string;
  /** Null: of every pool. */
  readonly poolId: string | null;
  /** Answers, and is a part of the engine. */
  readonly ready: boolean;
  readonly schedulable: boolean;
  readonly memoryBytes: number;
  readonly cpus: number;
  /** Ids of the volumes that lie there whole. */
  readonly volumes: ReadonlySet<string>;
  /** What runs there, or is about to. `pod` as the engine tells pods apart. */
  readonly instances: readonly {
    readonly appId: string;
    readonly processType: string;
    readonly memoryBytes: number;
    readonly pod: string | null;
  }[];
}

/** `refused` says in words for the app's owner what is in the way. */
export type Placement = { readonly nodeId: string } | { readonly refused: string };

/**
 * Only nodes that are ready, schedulable and of the pool are asked. Members of a pod share a node, and a volume decides where it lies; after
 * that an app is spread, and memory is promised twice only when every node is full. A volume on a node that is ready but not to be used does
 * not decide: whoever places must carry it over.
 */
export function place(wanted: Wanted, nodes: readonly PlacementNode[]): Placement {
  const ofPool = nodes.filter(({ poolId }) => isOfPool(wanted, poolId));
  const usable = ofPool.filter(({ ready, schedulable }) => ready && schedulable);
  if (usable.length === 0) return { refused: whyNone(ofPool) };
  const lost = volumeOutOfReach(wanted, nodes);
  if (lost !== null) return { refused: lost };
  const chosen = mostOf(mostOf(usable, podMembers(wanted)), volumesThere(wanted)).toSorted(better(wanted))[0];
  return chosen === undefined ? { refused: whyNone(ofPool) } : { nodeId: chosen.id };
}

const isOfPool = ({ poolId: pool }: Wanted, poolId: string | null): boolean =>
  pool === undefined || poolId === null || poolId === pool;

function whyNone(ofPool: readonly PlacementNode[]): string {
  if (ofPool.length === 0) return 'there is no node in its pool';
  return ofPool.some(({ ready }) => ready)
    ? 'no node of its pool takes new instances at the moment'
    : 'no node of its pool is ready at the moment';
}

function volumeOutOfReach({ mounts = [] }: Wanted, nodes: readonly PlacementNode[]): string | null {
  for (const { volumeId } of mounts) {
    const holders = nodes.filter(({ volumes }) => volumes.has(volumeId));
    if (holders.length > 0 && !holders.some(({ ready }) => ready)) {
      const names = holders.map(({ id }) => `node ${id}`).toSorted();
      return `its volume lies on ${names.join(' and ')}, out of reach at the moment`;
    }
  }
  return null;
}

type Count = (node: PlacementNode) => number;

const podMembers =
  ({ pod = null }: Wanted): Count =>
  ({ instances }) =>
    pod === null ? 0 : instances.filter((instance) => instance.pod === pod).length;

const volumesThere =
  ({ mounts = [] }: Wanted): Count =>
  ({ volumes }) =>
    mounts.filter(({ volumeId }) => volumes.has(volumeId)).length;

/** Those nodes that have the most; all of them where none has any. */
function mostOf(nodes: readonly PlacementNode[], count: Count): readonly PlacementNode[] {
  const most = Math.max(...nodes.map(count));
  return nodes.filter((node) => count(node) === most);
}

/** Orders nodes by how well they suit, the best first. */
function better({ appId, processType, limits }: Wanted): (one: PlacementNode, other: PlacementNode) => number {
  const ranks = ({ memoryBytes, instances }: PlacementNode): readonly number[] => {
    const left = memoryBytes - instances.reduce((sum, instance) => sum + instance.memoryBytes, 0);
    const ofApp = instances.filter((instance) => instance.appId === appId);
    const ofProcess = ofApp.filter((instance) => instance.processType === processType);
    return [left >= limits.memoryBytes ? 0 : 1, ofProcess.length, ofApp.length, -left];
  };
  return (one, other) => {
    const theirs = ranks(other);
    const difference = ranks(one)
      .map((rank, at) => rank - (theirs[at] ?? 0))
      .find((each) => each !== 0);
    return difference ?? (one.id < other.id ? -1 : Number(one.id > other.id));
  };
}
