/** The Swarm that a daemon is in. Networks over machines need one; a daemon that is in none becomes the only node of its own. */
import { setTimeout as delay } from 'node:timers/promises';
import { unavailable } from '../../../core/errors.ts';
import type { DockerApi } from '../api/docker-api.ts';
import { isStatus } from '../api/docker-error.ts';
import type { DaemonInfo } from '../api/shapes.ts';

const port = 2377;
const pendingMs = 100;
const pendingTries = 100;

const isPending = ({ Swarm }: DaemonInfo): boolean =>
  Swarm.LocalNodeState === 'pending' || (Swarm.LocalNodeState === 'active' && Swarm.NodeID === '');

/**
 * `address` is where the nodes of a Swarm made here will reach it. `isMember` says whether the managers among the other nodes know the daemon: it
 * may have been away for so long that they took its rank, and then gets it back as a worker. Rejects with `unavailable` when there is no Swarm.
 */
export async function ensureSwarm(
  api: DockerApi,
  address: string,
  isMember: (swarmId: string) => Promise<boolean>,
): Promise<DaemonInfo> {
  let info = await api.call<DaemonInfo>('GET', '/info');
  if (await isOutgrown(api, info, address)) {
    await api.call('POST', '/swarm/leave', { query: { force: true } });
    info = await api.call<DaemonInfo>('GET', '/info');
  }
  if (info.Swarm.LocalNodeState === 'inactive') {
    const body = { ListenAddr: `${address}:${port}`, AdvertiseAddr: address };
    try {
      await api.call('POST', '/swarm/init', { body });
    } catch (error) {
      // Another server of this platform was faster.
      if (!isStatus(error, 503)) throw error;
    }
    info = await api.call<DaemonInfo>('GET', '/info');
  }
  // After its start, or a restart, a manager needs a moment.
  for (let tries = 0; tries < pendingTries && isPending(info); tries++) {
    await delay(pendingMs);
    info = await api.call<DaemonInfo>('GET', '/info');
  }
  const { LocalNodeState, ControlAvailable, NodeID, Error: reason } = info.Swarm;
  if (LocalNodeState !== 'active')
    throw unavailable(`the Docker daemon’s Swarm is ${LocalNodeState}${reason === '' ? '' : `: ${reason}`}`);
  if (!ControlAvailable && !(await isMember(NodeID)))
    throw unavailable('the Docker daemon is a worker of its Swarm: point BERTH_DOCKER_HOST at one of its managers');
  return info;
}

/**
 * Whether it is a Swarm on the loopback in which there is nothing yet, while other machines are to reach it at `address`. Where its managers
 * are reached cannot be changed, so it must be begun anew.
 */
async function isOutgrown(api: DockerApi, { Swarm }: DaemonInfo, address: string): Promise<boolean> {
  const isLoopback = (text: string): boolean => text.startsWith('127.');
  const isMismatch = Swarm.LocalNodeState === 'active' && isLoopback(Swarm.NodeAddr) && !isLoopback(address);
  if (!isMismatch || !Swarm.ControlAvailable) return false;
  const kinds = ['/nodes', '/services', '/secrets', '/configs', '/networks'];
  const [nodes = [], ...others] = await Promise.all(
    kinds.map((path) => api.call<readonly { readonly Scope?: string; readonly Ingress?: boolean }[]>('GET', path)),
  );
  const left = others
    .flat()
    .filter(({ Scope, Ingress }) => Scope === undefined || (Scope === 'swarm' && Ingress !== true));
  return nodes.length === 1 && left.length === 0;
}
