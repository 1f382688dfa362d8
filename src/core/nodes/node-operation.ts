import type { Id } from '../names.ts';
import type { Operation, OperationKind } from '../operations/operation.ts';
import type { CoreContext } from '../ports/core-context.ts';
import type { Stores } from '../ports/database.ts';

export type NodeOperationKind = Extract<OperationKind, `node-${string}` | 'rebalance'>;

/** The control loop ends these; it wakes on the topic `node`. */
export const nodeOperationKinds: readonly NodeOperationKind[] = [
  'node-add',
  'node-drain',
  'node-remove',
  'node-move',
  'rebalance',
];

/** Adds an operation for the loop of nodes and wakes it; part of the caller's transaction. `subjectId` is the node, or what is rebalanced. */
export async function startNodeOperation(
  context: CoreContext,
  stores: Stores,
  kind: NodeOperationKind,
  subjectId: Id | null,
  appId: Id<'app'> | null = null,
): Promise<Operation> {
  const now = context.clock.now();
  const operation: Operation = {
    id: context.ids.id(),
    kind,
    appId,
    subjectId,
    status: 'running',
    cancelRequested: false,
    attempts: 0,
    error: null,
    createdAt: now,
    startedAt: now,
    finishedAt: null,
  };
  await stores.operations.insert(operation);
  await stores.wake('node', subjectId ?? '*');
  return operation;
}

/** What was under way for a node ends without an outcome: it is wanted otherwise now, or gone. */
export async function cancelNodeOperations(
  stores: Stores,
  nodeId: Id<'node'>,
  kinds: readonly NodeOperationKind[],
  why: string,
): Promise<void> {
  for (const operation of await stores.operations.openOf(kinds))
    if (operation.subjectId === nodeId) await stores.operations.finish(operation.id, null, 'cancelled', why);
}
