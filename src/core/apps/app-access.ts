import type { Actor, Place } from '../access/actor.ts';
import { demandOn } from '../access/authorize.ts';
import { notFound } from '../errors.ts';
import type { Id } from '../names.ts';
import type { Operation, OperationKind } from '../operations/operation.ts';
import type { Permission } from '../permissions.ts';
import type { CoreContext } from '../ports/core-context.ts';
import type { Stores } from '../ports/database.ts';
import type { App, AppView } from './app.ts';

export const placeOf = (app: Pick<App, 'id' | 'teamId' | 'poolId'>): Place => ({
  appId: app.id,
  teamId: app.teamId,
  poolId: app.poolId,
});

/**
 * The app by (actor, reference): the one door to an app for every service. Not the actor's: `not-found`, as if it were not there;
 * readable but without the permission: `forbidden`.
 */
export async function fetchApp(
  stores: Stores,
  actor: Actor,
  reference: string,
  permission: Permission,
): Promise<AppView> {
  const app = await stores.apps.find(reference);
  if (app === null) throw notFound('app', reference);
  demandOn(actor, 'app', reference, 'app.read', permission, placeOf(app));
  return app;
}

/** Adds an operation for the reconciler and wakes it; part of the caller's transaction. */
export async function startOperation(
  context: CoreContext,
  stores: Stores,
  kind: OperationKind,
  appId: Id<'app'>,
  subjectId: Id | null = null,
): Promise<Operation> {
  const operation: Operation = {
    id: context.ids.id(),
    kind,
    appId,
    subjectId,
    status: 'queued',
    cancelRequested: false,
    attempts: 0,
    error: null,
    createdAt: context.clock.now(),
    startedAt: null,
    finishedAt: null,
  };
  await stores.operations.insert(operation);
  await stores.wake(kind === 'build' ? 'operation' : 'app', kind === 'build' ? operation.id : appId);
  return operation;
}
