/** How a machine becomes a part of the install's Swarm, and what is said when it cannot. */
import { lookup } from 'node:dns/promises';
import { isIPv4 } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { BerthError, unavailable } from '../../../core/errors.ts';
import type { DockerApi } from '../api/docker-api.ts';
import type { DaemonInfo } from '../api/shapes.ts';
import { nodeLabels, type SwarmNode, swarmNodes, workerToken } from './swarm-api.ts';

export interface JoiningParts {
  readonly api: DockerApi;
  readonly managers: Pick<DockerApi, 'call'>;
  readonly installId: string;
  /** The host of its address; null for a unix socket: Docker finds the address itself. */
  readonly host: string | null;
  /** Told which machine it is, before it is asked whether it is ours; throws `unavailable` where it must not be used now. */
  readonly admit: (swarmId: string) => void;
}

const port = 2377;
const joinMs = 60_000;
const pendingMs = 200;
const pendingTries = 150;
/** A manager without a leader says nothing for long. */
const ownMs = 3_000;

/** Says each time how the daemon is, and joins it where it is in no Swarm yet. */
export function entranceOf(parts: JoiningParts): () => Promise<DaemonInfo> {
  let verified: string | null = null;
  return async () => {
    let info = await settledInfo(parts.api);
    if (info.Swarm.LocalNodeState === 'inactive') {
      await join(parts);
      info = await settledInfo(parts.api);
    }
    const { LocalNodeState, NodeID, Error: reason } = info.Swarm;
    if (LocalNodeState !== 'active') {
      throw unavailable(`its Docker daemon’s Swarm is ${LocalNodeState}${reason === '' ? '' : `: ${reason}`}`);
    }
    parts.admit(NodeID);
    if (verified !== NodeID && !(await saysItIsOurs(parts, info)) && !(await isMember(parts.managers, NodeID))) {
      throw unavailable(
        'its Docker daemon is in another Swarm: take it out there with `docker swarm leave`, and it will join this one',
      );
    }
    verified = NodeID;
    return info;
  };
}

/** Whether the Swarm of these managers knows the node. */
export const isMember = async (managers: Pick<DockerApi, 'call'>, swarmId: string): Promise<boolean> =>
  (await swarmNodes(managers)).some(({ ID }) => ID === swarmId);

/**
 * A manager knows whether it was made a part of this install. So managers are found after a restart of the platform without any other one, the
 * home node among them.
 */
async function saysItIsOurs({ api, installId }: JoiningParts, { Swarm }: DaemonInfo): Promise<boolean> {
  if (!Swarm.ControlAvailable) return false;
  try {
    const nodes = await api.call<readonly SwarmNode[]>('GET', '/nodes', { timeoutMs: ownMs });
    return nodes.some(({ ID, Spec }) => ID === Swarm.NodeID && Spec.Labels?.[nodeLabels.install] === installId);
  } catch {
    return false;
  }
}

async function settledInfo(api: DockerApi): Promise<DaemonInfo> {
  for (let tries = 0; ; tries++) {
    const info = await api.call<DaemonInfo>('GET', '/info');
    const { LocalNodeState, NodeID } = info.Swarm;
    const isPending = LocalNodeState === 'pending' || (LocalNodeState === 'active' && NodeID === '');
    if (!isPending || tries >= pendingTries) return info;
    await delay(pendingMs);
  }
}

async function join({ api, managers, host }: JoiningParts): Promise<void> {
  const addresses = joinAddresses(await swarmNodes(managers));
  const own = host === null ? null : isIPv4(host) ? host : (await lookup(host, { family: 4 })).address;
  const body = {
    ListenAddr: `${own ?? '0.0.0.0'}:${port}`,
    ...(own === null ? {} : { AdvertiseAddr: own }),
    RemoteAddrs: addresses,
    JoinToken: await workerToken(managers),
  };
  try {
    await api.call('POST', '/swarm/join', { body, timeoutMs: joinMs });
  } catch (error) {
    if (error instanceof BerthError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw unavailable(`its Docker daemon cannot join the Swarm at ${addresses.join(', ')}: ${reason}`, error);
  }
}

/** Where managers listen for others. Throws `unavailable` when none can be reached from another machine. */
export function joinAddresses(nodes: readonly Pick<SwarmNode, 'ManagerStatus'>[]): readonly string[] {
  const managers = nodes.flatMap(({ ManagerStatus }) => ManagerStatus ?? []);
  const open = managers.filter(({ Addr }) => !Addr.startsWith('127.'));
  if (open.length === 0) {
    throw unavailable(
      'the Swarm was begun on the loopback, where no other machine reaches it: set BERTH_DOCKER_ADVERTISE_ADDRESS to an address of ' +
        'the first node, stop the platform with its instances, say `docker swarm leave --force` on that node, and start the platform',
    );
  }
  const reachable = open.filter(({ Reachability }) => Reachability === 'reachable');
  return (reachable.length > 0 ? reachable : open).map(({ Addr }) => Addr);
}
