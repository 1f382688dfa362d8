/** Says when all that ran on a node that went down runs again. */
import { systemActor } from '../../core/access/actor.ts';
import { record } from '../../core/events/record.ts';
import { START_FAILURE } from '../../core/instances/crash.ts';
import type { Id } from '../../core/names.ts';
import type { NodeView } from '../../core/nodes/node.ts';
import { nodeData } from '../../core/nodes/remove-node.ts';
import type { ControlContext } from '../control-context.ts';
import { type WantedProcess, wantedProcesses } from '../reconciler/snapshot.ts';
import type { NodesNow } from './node-moves.ts';

type HealingContext = Pick<ControlContext, 'db' | 'clock' | 'ids' | 'box'>;

export const isHurt = ({ lost }: Pick<NodeView, 'lost'>): boolean => Object.keys(lost).length > 0;

/** Gives how many nodes still have lost something. */
export async function noteHealed(context: HealingContext, now: NodesNow): Promise<number> {
  let hurt = 0;
  for (const node of now.nodes.filter(isHurt)) {
    if (await isHealed(context, node, now)) await write(context, node);
    else hurt += 1;
  }
  return hurt;
}

async function isHealed({ db }: HealingContext, node: NodeView, now: NodesNow): Promise<boolean> {
  for (const appId of Object.keys(node.lost)) {
    const id = appId as Id<'app'>;
    if (!isWhole(id, await wantedOf(db, id), now)) return false;
  }
  return true;
}

/** Nothing of an app that is gone, or has no release yet. */
export async function wantedOf(db: HealingContext['db'], appId: Id<'app'>): Promise<readonly WantedProcess[]> {
  const app = await db.apps.findAny(appId);
  if (app === null || app.deletedAt !== null || app.currentReleaseId === null) return [];
  const [processes, release] = await Promise.all([
    db.processes.list(app.id),
    db.releases.find(app.id, app.currentReleaseId),
  ]);
  return wantedProcesses(app, processes, release);
}

/** Pure. Of whatever generation: a deploy may be under way. What ran and crashed by itself is no longer the node's fault. */
export function isWhole(
  appId: Id<'app'>,
  wanted: readonly Pick<WantedProcess, 'process' | 'quantity'>[],
  { placed, running }: Pick<NodesNow, 'placed' | 'running'>,
): boolean {
  const listed = new Set(running.map(({ id }) => id));
  return wanted.every(({ process, quantity }) => {
    const rows = placed.filter((row) => row.appId === appId && row.processType === process.type);
    const there = rows.filter((row) =>
      row.state === 'crashed' ? row.failureCode !== START_FAILURE : row.state === 'ready' && listed.has(row.id),
    );
    return there.length >= quantity;
  });
}

async function write(context: HealingContext, node: NodeView): Promise<void> {
  const moved = Object.values(node.lost).reduce((sum, count) => sum + count, 0);
  await context.db.transaction(async (stores) => {
    await stores.nodes.update(node.id, { lost: {} });
    await record(context, stores, systemActor, 'NodeHealed', {}, { ...nodeData(node), moved });
  });
}
