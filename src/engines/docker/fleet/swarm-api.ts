/** The parts of the Swarm API that the fleet uses. Source: Docker Engine API, version 1.41. */
import type { DockerApi } from '../api/docker-api.ts';
import { isStatus } from '../api/docker-error.ts';

export interface SwarmNode {
  readonly ID: string;
  readonly Version: { readonly Index: number };
  readonly Spec: {
    readonly Name?: string;
    readonly Role: 'worker' | 'manager';
    readonly Availability: 'active' | 'pause' | 'drain';
    readonly Labels: Readonly<Record<string, string>> | null;
  };
  readonly Status: { readonly State: 'unknown' | 'down' | 'ready' | 'disconnected'; readonly Addr?: string };
  readonly ManagerStatus?: {
    readonly Leader?: boolean;
    readonly Reachability: 'unknown' | 'unreachable' | 'reachable';
    readonly Addr: string;
  };
}

interface Swarm {
  readonly Version: { readonly Index: number };
  readonly Spec: { readonly Dispatcher?: { readonly HeartbeatPeriod?: number } };
  readonly JoinTokens: { readonly Worker: string; readonly Manager: string };
}

/** On every node of the Swarm that is a part of this engine: its id, whose it is, its pool, and which other labels the platform put there. */
export const nodeLabels = {
  id: 'berth.node',
  install: 'berth.install',
  pool: 'berth.pool',
  others: 'berth.labels',
} as const;

type Caller = Pick<DockerApi, 'call'>;

const updateTries = 5;

export const swarmNodes = (managers: Caller): Promise<readonly SwarmNode[]> =>
  managers.call<readonly SwarmNode[]>('GET', '/nodes');

export const workerToken = async (managers: Caller): Promise<string> =>
  (await managers.call<Swarm>('GET', '/swarm')).JoinTokens.Worker;

/** Changes what is wanted of a node; tried again when somebody else was faster. Null of `change`: it is so already. */
export async function updateNode(
  managers: Caller,
  id: string,
  change: (spec: SwarmNode['Spec']) => SwarmNode['Spec'] | null,
): Promise<void> {
  for (let tries = 1; ; tries++) {
    const node = await managers.call<SwarmNode>('GET', `/nodes/${id}`);
    const body = change(node.Spec);
    if (body === null) return;
    try {
      return await managers.call('POST', `/nodes/${id}/update`, { query: { version: node.Version.Index }, body });
    } catch (error) {
      if (!isOutOfSequence(error) || tries >= updateTries) throw error;
    }
  }
}

/** Unknown id: nothing to do. */
export async function deleteNode(managers: Caller, id: string): Promise<void> {
  try {
    await managers.call('DELETE', `/nodes/${id}`, { query: { force: true } });
  } catch (error) {
    if (!isStatus(error, 404)) throw error;
  }
}

/** How often nodes say that they are there: what a node's end costs is a few of these. */
export async function ensureHeartbeat(managers: Caller, atMostMs: number): Promise<void> {
  const { Version, Spec } = await managers.call<Swarm>('GET', '/swarm');
  const wanted = atMostMs * 1e6;
  const now = Spec.Dispatcher?.HeartbeatPeriod ?? Number.POSITIVE_INFINITY;
  if (now <= wanted) return;
  const body = { ...Spec, Dispatcher: { ...Spec.Dispatcher, HeartbeatPeriod: wanted } };
  try {
    await managers.call('POST', '/swarm/update', { query: { version: Version.Index }, body });
  } catch (error) {
    if (!isOutOfSequence(error)) throw error;
  }
}

const isOutOfSequence = (error: unknown): boolean => String(error).includes('update out of sequence');
