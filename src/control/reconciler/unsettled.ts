import type { ControlContext } from '../control-context.ts';

/**
 * Apps that a pass would find something to do for, from three reads whatever their number: open operations, instances that are not
 * ready, and rows that differ from what the engine runs. Whatever changes what is wanted comes with an operation.
 */
export async function findUnsettled({ db, engine }: ControlContext): Promise<ReadonlySet<string>> {
  const [open, rows, running] = await Promise.all([db.operations.openApps(), db.instances.all(), engine.list()]);
  const states = new Map(running.map((instance) => [instance.id, instance.state]));
  const uneven = rows.filter((row) => row.state !== 'ready' || states.get(row.id) !== 'running');
  return new Set([...open, ...uneven.map((row) => row.appId)]);
}
