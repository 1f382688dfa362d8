/** Says what isolation a Docker node has in force, and how. Pure. */
import type { EngineDescription } from '../../core/ports/engine.ts';
import type { DaemonInfo } from './api/shapes.ts';

/** `version`: of the API that was agreed on with the daemon. */
export function describeDaemon(info: DaemonInfo, version: string): EngineDescription {
  const groups = `control groups version ${info.CgroupVersion ?? '1'}, by Docker`;
  return {
    kind: 'docker',
    nodes: [
      {
        id: info.Swarm.NodeID,
        address: info.Swarm.NodeAddr,
        state: 'ready',
        message: null,
        memoryBytes: info.MemTotal,
        cpus: info.NCPU,
        software: `Docker ${info.ServerVersion}, API ${version}`,
      },
    ],
    isolation: [
      { what: 'user', inForce: true, how: 'never root, without any capability, and no way to gain one' },
      { what: 'files', inForce: true, how: 'a container per instance: the system’s folders are another user’s' },
      { what: 'processes', inForce: true, how: 'a pid namespace per instance' },
      { what: 'network', inForce: true, how: 'an overlay network per space behind a firewall on the node' },
      { what: 'memory', inForce: true, how: groups },
      { what: 'cpu', inForce: true, how: groups },
      { what: 'pids', inForce: true, how: groups },
    ],
  };
}
