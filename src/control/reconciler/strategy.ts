/** Which planner replaces the instances of a process: its release's own strategy, but for what volumes do not bear. */
import { plannerFor } from '../../core/deploy/plan.ts';
import type { Planner } from '../../core/deploy/situation.ts';
import type { Instance } from '../../core/instances/instance.ts';
import { isSchedulable, type NodeView } from '../../core/nodes/node.ts';
import { isExclusive, sharesVolume } from '../../core/processes/pod.ts';
import type { Release } from '../../core/releases/release.ts';
import type { ControlContext } from '../control-context.ts';
import type { Snapshot, WantedProcess } from './snapshot.ts';

/** `own`: all rows of the process. */
export async function plannerOf(
  { db }: Pick<ControlContext, 'db'>,
  { app, actual }: Pick<Snapshot, 'app' | 'actual'>,
  item: WantedProcess,
  own: readonly Instance[],
  { strategy }: Pick<Release, 'strategy'>,
): Promise<Planner> {
  const old = own.filter((row) => row.generation !== item.generation);
  if (old.length > 0 && sharesVolume(item.process)) {
    const nodes = (await db.nodes.list()).filter(({ poolId }) => poolId === app.poolId);
    const places = old.map((row) => actual.get(row.id)?.nodeId ?? row.nodeId);
    if (volumeMustMove(places, nodes)) return plannerFor('all-at-once');
  }
  return plannerFor(strategy, seatsClash(item, own));
}

/**
 * Pure: whether what is there has to go before anything can come, because a volume that all of them share lies on a node that takes nothing
 * new. `places`: ids of nodes; `nodes`: those of the pool. Where no other node takes it either, nothing is given up for it.
 */
export function volumeMustMove(
  places: readonly (string | null)[],
  nodes: readonly Pick<NodeView, 'id' | 'state' | 'cordoned' | 'draining' | 'removing' | 'moving'>[],
): boolean {
  const takes = nodes.filter((node) => node.state === 'ready' && isSchedulable(node));
  const stays = new Set<string>(nodes.filter(isSchedulable).map(({ id }) => id));
  return takes.length > 0 && places.some((id) => id !== null && !stays.has(id));
}

/** A hot swap has seats of its own; whatever else rolls has to wait for the seats of exclusive instances. */
const seatsClash = ({ process, generation, runnable }: WantedProcess, own: readonly Instance[]): boolean =>
  isExclusive(process) && own.every((row) => row.generation === generation || row.series === runnable.series);
