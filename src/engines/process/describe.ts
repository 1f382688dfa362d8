/** Says honestly what isolation is in force on this machine, and how. Shown at boot and in the dashboard. */
import { availableParallelism, totalmem } from 'node:os';
import type { EngineDescription } from '../../core/ports/engine.ts';
import type { Machine } from './machine.ts';

export function describeMachine(machine: Machine, nodeId: string): EngineDescription {
  const why = machine.missing.length === 0 ? 'not available' : machine.missing.join('; ');
  const sandbox = {
    root: 'bubblewrap: own mount namespace, system folders read-only',
    user: 'bubblewrap in a user namespace: system folders read-only',
    none: `none: ${why}`,
  }[machine.sandbox];
  const inside = machine.sandbox !== 'none';
  const cgroup = machine.cgroups === null ? null : `control groups version ${machine.cgroups.version}`;
  return {
    kind: 'process',
    nodes: [
      {
        id: nodeId,
        address: '127.0.0.1',
        state: 'ready',
        message: null,
        memoryBytes: totalmem(),
        cpus: availableParallelism(),
      },
    ],
    isolation: [
      {
        what: 'user',
        inForce: machine.sandbox === 'root',
        how: machine.sandbox === 'root' ? 'an unprivileged user per app' : `the agent's own user: ${why}`,
      },
      { what: 'files', inForce: inside, how: sandbox },
      { what: 'processes', inForce: inside, how: inside ? 'a pid namespace per instance' : `none: ${why}` },
      {
        what: 'network',
        inForce: machine.network,
        how: machine.network
          ? 'a network namespace per space, one for each pod and for each instance with numbered ports, behind a firewall'
          : `the host's network: ${why}; of numbered ports the first is given as $PORT, links lead through the agent`,
      },
      {
        what: 'memory',
        inForce: true,
        how: cgroup ?? 'resident sets summed every 100 ms: a fast app overshoots before it is killed',
      },
      { what: 'cpu', inForce: cgroup !== null, how: cgroup ?? 'none: control groups are not writable' },
      { what: 'pids', inForce: cgroup !== null, how: cgroup ?? 'none: control groups are not writable' },
    ],
  };
}
