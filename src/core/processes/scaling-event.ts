import type { Actor } from '../access/actor.ts';
import type { AppView } from '../apps/app.ts';
import { record } from '../events/record.ts';
import type { CoreContext } from '../ports/core-context.ts';
import type { Stores } from '../ports/database.ts';
import type { ProcessView } from './process.ts';

/** One event for all of an app's processes, with what they were and are; none when neither a quantity nor a size is another. */
export async function recordScaling(
  context: CoreContext,
  stores: Stores,
  actor: Actor,
  app: AppView,
  before: readonly ProcessView[],
): Promise<void> {
  const [previous, current] = [formationOf(before), formationOf(await stores.processes.list(app.id))];
  if (JSON.stringify(previous) === JSON.stringify(current)) return;
  await record(context, stores, actor, 'AppScaled', { app }, { previous, current });
}

/** By type; the size by its name, and its memory in bytes. */
function formationOf(processes: readonly ProcessView[]): Readonly<Record<string, object>> {
  const sorted = processes.toSorted((a, b) => (a.type < b.type ? -1 : 1));
  return Object.fromEntries(
    sorted.map(({ type, quantity, sizeName, memoryBytes }) => [type, { quantity, size: sizeName, memoryBytes }]),
  );
}
