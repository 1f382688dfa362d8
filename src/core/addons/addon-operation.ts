import type { Id } from '../names.ts';
import type { Operation } from '../operations/operation.ts';
import type { CoreContext } from '../ports/core-context.ts';
import type { Stores } from '../ports/database.ts';
import type { Addon } from './addon.ts';

/** Asks the loop to make the add-on and its bindings as their rows say; part of the caller's transaction. */
export async function startAddonOperation(
  context: CoreContext,
  stores: Stores,
  addon: Pick<Addon, 'id' | 'appId'>,
  appId: Id<'app'> | null = addon.appId,
): Promise<Operation> {
  const operation: Operation = {
    id: context.ids.id(),
    kind: 'addon',
    appId,
    subjectId: addon.id,
    status: 'queued',
    cancelRequested: false,
    attempts: 0,
    error: null,
    createdAt: context.clock.now(),
    startedAt: null,
    finishedAt: null,
  };
  await stores.operations.insert(operation);
  await stores.wake('operation', operation.id);
  return operation;
}
