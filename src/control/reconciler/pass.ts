/** One pass over one app: read, observe, decide, act. Gives how soon to look again, or null to wait for a wake. */
import { plannerFor } from '../../core/deploy/plan.ts';
import type { Instance } from '../../core/instances/instance.ts';
import { isExclusive } from '../../core/processes/pod.ts';
import type { ControlContext } from '../control-context.ts';
import type { RoutingPublisher } from '../routing.ts';
import { deleteApp } from './delete-app.ts';
import { markReady, observe } from './observe.ts';
import { failingInstance, failRelease, finishOperations, isConverged, succeedRelease } from './outcome.ts';
import type { Retirement } from './retire.ts';
import { readSnapshot, type Snapshot, type WantedProcess } from './snapshot.ts';
import { replaceCrashed, startNew, startRow } from './start.ts';

const AT_ONCE_MS = 0;
const PROBE_EVERY_MS = 25;

export interface PassParts {
  readonly context: ControlContext;
  readonly routing: RoutingPublisher;
  readonly retirement: Retirement;
}

export async function passOver({ context, routing, retirement }: PassParts, appId: string): Promise<number | null> {
  const snapshot = await readSnapshot(context, appId);
  if (snapshot === null) return null;
  if (snapshot.app.deletedAt !== null) {
    const gone = await deleteApp(context, snapshot, retirement);
    if (gone) await routing.publish();
    return null;
  }

  const queued = snapshot.operations.filter(({ status }) => status === 'queued').map(({ id }) => id);
  if (queued.length > 0) await context.db.operations.begin(queued);
  const observed = await observe(context, snapshot);
  if (observed.changed) {
    await routing.publish();
    return AT_ONCE_MS;
  }
  if (observed.admitted.length > 0) {
    await routing.settle();
    for (const row of observed.admitted) await markReady(context, snapshot, row);
    return AT_ONCE_MS;
  }
  for (const row of observed.unstarted) await startRow(context, snapshot, row);

  const failing = failingInstance(snapshot);
  if (failing !== null && snapshot.pending !== null) {
    await failRelease(context, snapshot, snapshot.pending, failing);
    return AT_ONCE_MS;
  }

  await retirement.begin(appId, resumed(snapshot));
  const acted = await carryOutPlans(context, snapshot, retirement);
  if (acted) return PROBE_EVERY_MS;

  await routing.settle();
  const converged = isConverged(snapshot);
  if (converged && snapshot.pending !== null) {
    await succeedRelease(context, snapshot, snapshot.pending);
    return AT_ONCE_MS;
  }
  await finishOperations(context, snapshot, converged);
  return nextLook(context, snapshot);
}

const resumed = (snapshot: Snapshot): string[] =>
  snapshot.instances.filter((row) => row.state === 'draining').map((row) => row.id);

async function carryOutPlans(context: ControlContext, snapshot: Snapshot, retirement: Retirement): Promise<boolean> {
  const { target, wanted, instances, app } = snapshot;
  const types = new Set(wanted.map((item) => item.process.type as string));
  const unwanted = instances
    .filter((row) => !types.has(row.processType) && row.state !== 'draining')
    .map((row) => row.id);
  if (unwanted.length > 0) await retirement.begin(app.id, unwanted);
  let acted = unwanted.length > 0;
  if (target === null) return acted;
  for (const item of wanted) {
    const own = instances.filter((row) => row.processType === item.process.type);
    const plan = plannerFor(
      target.strategy,
      seatsClash(item, own),
    )({ quantity: item.quantity, generation: item.generation, instances: own });
    if (plan.retire.length > 0) await retirement.begin(app.id, plan.retire);
    if (plan.start > 0) await startNew(context, snapshot, item, target, plan.start);
    const due = own.filter(
      (row) =>
        row.state === 'crashed' &&
        row.generation === item.generation &&
        !plan.retire.includes(row.id) &&
        isDue(context, row.retryAt),
    );
    for (const row of due) await replaceCrashed(context, snapshot, item, target, row);
    acted ||= plan.retire.length > 0 || plan.start > 0 || due.length > 0;
  }
  return acted;
}

/** A hot swap has seats of its own; whatever else rolls has to wait for the seats of exclusive instances. */
const seatsClash = ({ process, generation, runnable }: WantedProcess, own: readonly Instance[]): boolean =>
  isExclusive(process) && own.every((row) => row.generation === generation || row.series === runnable.series);

const isDue = (context: ControlContext, at: Date | null): boolean => at === null || at <= context.clock.now();

function nextLook(context: ControlContext, { instances }: Snapshot): number | null {
  if (instances.some((row) => row.state === 'starting')) return PROBE_EVERY_MS;
  const now = context.clock.now().getTime();
  const waits = instances.flatMap((row) =>
    row.state === 'crashed' && row.retryAt !== null ? [Math.max(0, row.retryAt.getTime() - now)] : [],
  );
  return waits.length === 0 ? null : Math.min(...waits);
}
