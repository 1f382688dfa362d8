/** One pass over one app: read, observe, decide, act. Gives how soon to look again, or null to wait for a wake. */
import type { ControlContext } from '../control-context.ts';
import type { RoutingPublisher } from '../routing.ts';
import { deleteApp } from './delete-app.ts';
import { markReady, observe } from './observe.ts';
import { failingInstance, failRelease, finishOperations, isConverged, succeedRelease } from './outcome.ts';
import type { Retirement } from './retire.ts';
import { readSnapshot, type Snapshot } from './snapshot.ts';
import { replaceCrashed, startNew, startRow } from './start.ts';
import { plannerOf } from './strategy.ts';
import { endStrays } from './strays.ts';

const AT_ONCE_MS = 0;
const PROBE_EVERY_MS = 25;
/** The end of what is left over wakes the app; what would be due may wait for it. */
const HELD_MS = 250;

export interface PassParts {
  readonly context: ControlContext;
  readonly routing: RoutingPublisher;
  readonly retirement: Retirement;
  /** Resolves when the engine knows what is wanted of its nodes now: it is to start nothing where somebody just forbade it. Never rejects. */
  readonly tellNodes: () => Promise<void>;
}

export async function passOver(parts: PassParts, appId: string): Promise<number | null> {
  const { context, routing, retirement, tellNodes } = parts;
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
  // Where a volume is mounted by what is left over, its next instance waits for the end of that.
  const isHeld = await endStrays(context, snapshot, retirement);
  const mayStart = (type: string): boolean => !isHeld || !hasVolumes(snapshot, type);
  if (observed.unstarted.length > 0) await tellNodes();
  for (const row of observed.unstarted) if (mayStart(row.processType)) await startRow(context, snapshot, row);

  const failing = failingInstance(snapshot);
  if (failing !== null && snapshot.pending !== null) {
    await failRelease(context, snapshot, snapshot.pending, failing);
    return AT_ONCE_MS;
  }

  await retirement.begin(appId, resumed(snapshot));
  const acted = await carryOutPlans(parts, snapshot, mayStart);
  if (acted) return PROBE_EVERY_MS;

  await routing.settle();
  const converged = isConverged(snapshot);
  if (converged && snapshot.pending !== null) {
    await succeedRelease(context, snapshot, snapshot.pending);
    return AT_ONCE_MS;
  }
  await finishOperations(context, snapshot, converged);
  const nextMs = nextLook(context, snapshot);
  return isHeld && nextMs !== null ? Math.max(nextMs, HELD_MS) : nextMs;
}

const resumed = (snapshot: Snapshot): string[] =>
  snapshot.instances.filter((row) => row.state === 'draining').map((row) => row.id);

const hasVolumes = ({ processes }: Snapshot, type: string): boolean =>
  processes.some((process) => process.type === type && process.mounts.length > 0);

async function carryOutPlans(
  { context, retirement, tellNodes }: PassParts,
  snapshot: Snapshot,
  mayStart: (type: string) => boolean,
): Promise<boolean> {
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
    const planner = await plannerOf(context, snapshot, item, own, target);
    const plan = planner({ quantity: item.quantity, generation: item.generation, instances: own });
    if (plan.retire.length > 0) await retirement.begin(app.id, plan.retire);
    acted ||= plan.retire.length > 0;
    if (!mayStart(item.process.type)) continue;
    if (plan.start > 0) await tellNodes();
    if (plan.start > 0) await startNew(context, snapshot, item, target, plan.start);
    const due = own.filter(
      (row) =>
        row.state === 'crashed' &&
        row.generation === item.generation &&
        !plan.retire.includes(row.id) &&
        isDue(context, row.retryAt),
    );
    if (due.length > 0) await tellNodes();
    for (const row of due) await replaceCrashed(context, snapshot, item, target, row);
    acted ||= plan.start > 0 || due.length > 0;
  }
  return acted;
}

const isDue = (context: ControlContext, at: Date | null): boolean => at === null || at <= context.clock.now();

function nextLook(context: ControlContext, { instances }: Snapshot): number | null {
  if (instances.some((row) => row.state === 'starting')) return PROBE_EVERY_MS;
  const now = context.clock.now().getTime();
  const waits = instances.flatMap((row) =>
    row.state === 'crashed' && row.retryAt !== null ? [Math.max(0, row.retryAt.getTime() - now)] : [],
  );
  return waits.length === 0 ? null : Math.min(...waits);
}
