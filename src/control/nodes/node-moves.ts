/** Which instances have to leave their node, and saying so to their apps. */
import { isMoved } from '../../core/instances/generation.ts';
import type { PlacedInstance } from '../../core/instances/instance.ts';
import type { Id } from '../../core/names.ts';
import { isSchedulable, type NodeView } from '../../core/nodes/node.ts';
import type { Operation } from '../../core/operations/operation.ts';
import type { EngineInstance, VolumeLeft } from '../../core/ports/engine.ts';
import type { ControlContext } from '../control-context.ts';

export interface NodesNow {
  readonly nodes: readonly NodeView[];
  readonly operations: readonly Operation[];
  readonly placed: readonly PlacedInstance[];
  /** Of all engines; read before `placed`. */
  readonly running: readonly EngineInstance[];
  /** By node that is to be removed: what still lies there; a node of which it is not known is left out. */
  readonly volumes: ReadonlyMap<string, readonly VolumeLeft[]>;
}

/**
 * Pure: those on nodes that are emptied, or that are in another pool than their app. They stay while no other node of their pool takes
 * anything: a strategy may begin by stopping the old one.
 */
export function instancesToMove({ nodes, operations, placed, running }: NodesNow): readonly Id<'instance'>[] {
  const places = new Map(running.map(({ id, nodeId }) => [id, nodeId]));
  const byId = new Map(nodes.map((node) => [node.id as string, node]));
  return placed
    .filter((row) => {
      const node = byId.get(places.get(row.id) ?? row.nodeId ?? '');
      if (node === undefined || (row.state !== 'ready' && row.state !== 'starting') || isMoved(row.generation))
        return false;
      return isLeaving(node, row, operations) && nodes.some((other) => other.id !== node.id && takes(other, row));
    })
    .map(({ id }) => id);
}

function isLeaving(node: NodeView, row: PlacedInstance, operations: readonly Operation[]): boolean {
  if (node.draining || node.removing || node.poolId !== row.poolId) return true;
  return operations.some(
    ({ kind, subjectId, appId }) =>
      kind === 'node-move' && subjectId === node.id && (appId === null || appId === row.appId),
  );
}

const takes = (node: NodeView, row: PlacedInstance): boolean =>
  node.state === 'ready' && node.poolId === row.poolId && isSchedulable(node);

export async function moveInstances(
  { db, clock }: Pick<ControlContext, 'db' | 'clock'>,
  ids: readonly Id<'instance'>[],
): Promise<void> {
  if (ids.length === 0) return;
  await db.transaction(async (stores) => {
    for (const appId of await stores.instances.move(ids, clock.now())) await stores.wake('app', appId);
  });
}
