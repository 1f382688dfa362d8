/** Says what isolation the nodes have in force, and how. Pure. */
import type { EngineDescription, EngineNode } from '../../core/ports/engine.ts';
import type { DaemonInfo } from './api/shapes.ts';

/** `info` of one of the nodes; null: none is known yet. */
export function describeNodes(nodes: readonly EngineNode[], info: DaemonInfo | null): EngineDescription {
  const groups = `control groups version ${info?.CgroupVersion ?? '1'}, by Docker`;
  return {
    kind: 'docker',
    nodes,
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
