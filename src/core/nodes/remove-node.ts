import type { Actor } from '../access/actor.ts';
import type { PlatformEvent } from '../events/event.ts';
import { record } from '../events/record.ts';
import type { CoreContext } from '../ports/core-context.ts';
import type { Stores } from '../ports/database.ts';
import type { Node, NodeView } from './node.ts';
import { nodeOperationKinds } from './node-operation.ts';

/** What every event of a node says of it. */
export const nodeData = ({ id, address, poolName }: Pick<NodeView, 'id' | 'address' | 'poolName'>) =>
  ({ node: id, address, pool: poolName }) satisfies PlatformEvent['data'];

/** The row goes, and with it the node leaves its engine; part of the caller's transaction. Its removal has succeeded, all else is cancelled. */
export async function removeNode(
  context: CoreContext,
  stores: Stores,
  actor: Pick<Actor, 'name' | 'userId'>,
  node: Pick<Node, 'id' | 'address'> & Pick<NodeView, 'poolName'>,
  data: PlatformEvent['data'] = {},
): Promise<void> {
  if (!(await stores.nodes.remove(node.id))) return;
  for (const { id, kind, subjectId } of await stores.operations.openOf(nodeOperationKinds)) {
    if (subjectId !== node.id) continue;
    if (kind === 'node-remove') await stores.operations.finish(id, null, 'succeeded', null);
    else await stores.operations.finish(id, null, 'cancelled', 'the node was removed');
  }
  await record(context, stores, actor, 'NodeRemoved', {}, { ...nodeData(node), ...data });
  await stores.wake('node', node.id);
}
