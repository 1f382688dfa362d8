/** What a unit uses, from its control group or, without one, summed over its processes. */
import { counters } from './network/ip.ts';
import { processStat } from './proc.ts';
import { residentBytes } from './resident-watch.ts';
import type { Unit, UnitServices } from './unit.ts';
import type { WireStats } from './wire.ts';

/** The kernel's USER_HZ, which is 100 on every platform that Node runs on. */
const ticksPerSecond = 100;

export function unitStats(unit: Unit, services: UnitServices): WireStats {
  const { id, limits, ownInterface } = unit.state;
  const network = networkOf(ownInterface ?? null);
  const at = services.clock.now().toISOString();
  const usage = services.machine.cgroups?.usage(id) ?? null;
  if (usage !== null) {
    const { usageBytes, residentBytes: resident, cacheBytes, userSeconds, systemSeconds, pids } = usage;
    return {
      id,
      at,
      memory: { usageBytes, residentBytes: resident, cacheBytes, limitBytes: limits.memoryBytes },
      cpu: { userSeconds, systemSeconds },
      pids,
      network,
    };
  }
  const members = unit.members();
  const resident = residentBytes(members);
  const stats = members.map(processStat).filter((stat) => stat !== null);
  const sum = (ticks: 'userTicks' | 'systemTicks'): number =>
    stats.reduce((total, stat) => total + stat[ticks], 0) / ticksPerSecond;
  return {
    id,
    at,
    memory: { usageBytes: resident, residentBytes: resident, cacheBytes: 0, limitBytes: limits.memoryBytes },
    cpu: { userSeconds: sum('userTicks'), systemSeconds: sum('systemTicks') },
    pids: members.length,
    network,
  };
}

/** What the host's end received is what the unit sent. */
function networkOf(ownInterface: string | null): WireStats['network'] {
  const end = ownInterface === null ? null : counters(ownInterface);
  return end === null ? null : { receivedBytes: end.sentBytes, sentBytes: end.receivedBytes };
}
