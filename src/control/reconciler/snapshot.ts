/** What one pass over an app decides from: rows of the database and the engine's own list, read in an order that makes ends safe. */
import type { App } from '../../core/apps/app.ts';
import { generationOf, type Runnable, runnableOf } from '../../core/instances/generation.ts';
import type { Instance } from '../../core/instances/instance.ts';
import type { Operation } from '../../core/operations/operation.ts';
import type { EngineInstance } from '../../core/ports/engine.ts';
import type { ProcessView } from '../../core/processes/process.ts';
import type { Release } from '../../core/releases/release.ts';
import type { ControlContext } from '../control-context.ts';

export interface WantedProcess {
  readonly process: ProcessView;
  readonly quantity: number;
  readonly generation: string;
  readonly runnable: Runnable;
}

export interface Snapshot {
  readonly app: App;
  /** Read first: whatever these operations asked for is in the rows read after. */
  readonly operations: readonly Operation[];
  /** To be rolled out now, or null. */
  readonly pending: Release | null;
  /** What should run: the pending one, else the current. */
  readonly target: Release | null;
  readonly processes: readonly ProcessView[];
  readonly wanted: readonly WantedProcess[];
  readonly instances: readonly Instance[];
  readonly actual: ReadonlyMap<string, EngineInstance>;
}

const OPEN_KINDS = ['deploy', 'scale', 'restart', 'stop', 'start', 'delete'] as const;

/** Null when the app's row is gone. */
export async function readSnapshot(context: ControlContext, appId: string): Promise<Snapshot | null> {
  const { db, engine } = context;
  const operations = await db.operations.open(appId, OPEN_KINDS);
  const app = await db.apps.findAny(appId);
  if (app === null) return null;
  const [pending, processes, instances, actual] = await Promise.all([
    db.releases.pending(appId),
    db.processes.list(appId),
    db.instances.list(appId),
    engine.list(),
  ]);
  const current = app.currentReleaseId === null ? null : await db.releases.find(appId, app.currentReleaseId);
  const target = pending ?? current;
  return {
    app,
    operations,
    pending,
    target,
    processes,
    instances,
    wanted: wantedProcesses(app, processes, target),
    actual: new Map(actual.filter((item) => item.appId === appId).map((item) => [item.id, item])),
  };
}

/** Processes that the release has a command for; none of a stopped or deleted app, or one in maintenance, has a quantity. */
export function wantedProcesses(
  app: App,
  processes: readonly ProcessView[],
  target: Release | null,
): readonly WantedProcess[] {
  if (target === null) return [];
  const resting = app.stopped || app.maintenance || app.deletedAt !== null;
  return processes.flatMap((process): WantedProcess[] => {
    const runnable = runnableOf(process, target);
    if (runnable === null) return [];
    const quantity = resting || process.stopped ? 0 : process.quantity;
    return [{ process, runnable, quantity, generation: generationOf(app, process, target, runnable) }];
  });
}
