import { appLogStream } from '../../core/logs/log-service.ts';
import type { ControlContext } from '../control-context.ts';
import type { Retirement } from './retire.ts';
import type { Snapshot } from './snapshot.ts';

/** Stops everything of a deleted app; when nothing is left its rows and logs go. Gives true when it is gone. */
export async function deleteApp(context: ControlContext, snapshot: Snapshot, retirement: Retirement): Promise<boolean> {
  const { db, engine, logs } = context;
  const { app, instances, actual, operations } = snapshot;
  if (instances.length > 0) {
    await retirement.begin(
      app.id,
      instances.map((row) => row.id),
    );
    return false;
  }
  await Promise.all([...actual.keys()].map((id) => engine.remove(id)));
  for (const { id } of await db.volumes.list(app.id)) await engine.removeVolume(id);
  for (const operation of operations) {
    await db.operations.finish(
      operation.id,
      null,
      operation.kind === 'delete' ? 'succeeded' : 'cancelled',
      operation.kind === 'delete' ? null : 'the app was deleted',
    );
  }
  await db.apps.purge(app.id);
  await logs.remove(appLogStream(app.id));
  return true;
}
