/** Ends what was asked for of nodes when it is so: joined, drained, removed, moved, even. */
import { systemActor } from '../../core/access/actor.ts';
import { record } from '../../core/events/record.ts';
import { leftOf } from '../../core/nodes/move-service.ts';
import { isSchedulable, type NodeView } from '../../core/nodes/node.ts';
import { nodeData, removeNode } from '../../core/nodes/remove-node.ts';
import type { Operation } from '../../core/operations/operation.ts';
import type { ControlContext } from '../control-context.ts';
import type { NodesNow } from './node-moves.ts';
import type { RebalanceEnds } from './rebalance-end.ts';

type EndsContext = Pick<ControlContext, 'db' | 'clock' | 'ids' | 'box' | 'engine'>;

/** Pure: whether it is as an operation on a node wants it. */
export function isDone(operation: Operation, now: NodesNow): boolean {
  const node = now.nodes.find(({ id }) => id === operation.subjectId);
  if (operation.kind === 'node-add') return node?.state === 'ready';
  // Asked for after the engine was told its nodes: something may just be started there.
  if (node !== undefined && isSchedulable(node)) return false;
  const runs = now.running.some(
    ({ nodeId, state, appId }) =>
      state !== 'exited' && nodeId === operation.subjectId && (operation.appId === null || operation.appId === appId),
  );
  // What crashed holds nothing there: it comes up elsewhere when its time has come.
  const waits = leftOf(operation, now.placed).some((row) => row.state !== 'crashed');
  // What an app that does not run left there goes with it to another node: nobody could start that app any more.
  const isEmpty = operation.kind !== 'node-remove' || node === undefined || now.volumes.get(node.id)?.length === 0;
  return !waits && !runs && isEmpty;
}

/** Gives how many are still open. */
export async function endNodeOperations(
  context: EndsContext,
  now: NodesNow,
  rebalances: RebalanceEnds,
): Promise<number> {
  let open = 0;
  rebalances.keep(now.operations);
  for (const operation of now.operations) {
    if (operation.kind === 'rebalance') open += Number(!(await endRebalance(context, operation, now, rebalances)));
    else if (isDone(operation, now)) await end(context, operation, now);
    else open += 1;
  }
  return open;
}

async function endRebalance(
  { db }: EndsContext,
  operation: Operation,
  now: NodesNow,
  rebalances: RebalanceEnds,
): Promise<boolean> {
  const outcome = await rebalances.of(operation, now);
  if (outcome === 'open') return false;
  if (outcome === 'succeeded') await db.operations.finish(operation.id, null, 'succeeded', null);
  else await db.operations.finish(operation.id, null, 'failed', outcome.failed);
  return true;
}

async function end(context: EndsContext, operation: Operation, now: NodesNow): Promise<void> {
  const { db, engine } = context;
  const node = now.nodes.find(({ id }) => id === operation.subjectId) ?? null;
  if (operation.kind === 'node-remove' && node !== null) {
    const left = now.running.filter(({ nodeId, state }) => nodeId === node.id && state === 'exited');
    await Promise.all(left.map(({ id }) => engine.remove(id)));
    await db.transaction((stores) => removeNode(context, stores, systemActor, node));
    return;
  }
  await db.transaction(async (stores) => {
    if (!(await stores.operations.finish(operation.id, null, 'succeeded', null))) return;
    if (operation.kind === 'node-drain' && node !== null) await recordDrained(context, stores, node);
    if (operation.kind === 'node-move') await stores.wake('node', operation.subjectId ?? '*');
  });
}

const recordDrained = (context: EndsContext, stores: Parameters<typeof record>[1], node: NodeView): Promise<void> =>
  record(context, stores, systemActor, 'NodeDrained', {}, nodeData(node));
