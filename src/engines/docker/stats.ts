/** What an instance uses, as the kernel counts it for its container. Pure. */
import type { InstanceStats } from '../../core/ports/engine.ts';
import type { ContainerStats } from './api/shapes.ts';
import { dateOf } from './exit.ts';
import type { Identity } from './identity.ts';

const nanoseconds = 1e9;

/**
 * Null when the daemon read nothing: the container just ended, or the node's control groups are not where the daemon looks for them. The
 * kernel's names differ between control groups of version 1 and 2.
 */
export function statsOf(identity: Identity, read: ContainerStats): InstanceStats | null {
  const { usage, stats = {} } = read.memory_stats;
  const at = dateOf(read.read);
  if (at === null || usage === undefined || read.pids_stats.current === undefined) return null;
  const { usage_in_usermode: user, usage_in_kernelmode: system } = read.cpu_stats.cpu_usage;
  return {
    id: identity.id,
    at,
    memory: {
      usageBytes: usage,
      residentBytes: stats.total_rss ?? stats.anon ?? stats.rss ?? 0,
      cacheBytes: stats.total_cache ?? stats.file ?? stats.cache ?? 0,
      limitBytes: identity.memoryBytes,
    },
    cpu: { userSeconds: user / nanoseconds, systemSeconds: system / nanoseconds },
    pids: read.pids_stats.current,
    network: identity.podKey === null ? networkOf(read) : null,
  };
}

/** Over all its interfaces: the one of its space and the one to the world. */
function networkOf({ networks }: ContainerStats): InstanceStats['network'] {
  if (networks === undefined) return null;
  const all = Object.values(networks);
  return {
    receivedBytes: all.reduce((sum, { rx_bytes }) => sum + rx_bytes, 0),
    sentBytes: all.reduce((sum, { tx_bytes }) => sum + tx_bytes, 0),
  };
}
