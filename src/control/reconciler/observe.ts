/** Brings the rows in line with what the engine says: what came up, what ended, what is gone. */

import { systemActor } from '../../core/access/actor.ts';
import { restartDelayMs, STABLE_AFTER_MS } from '../../core/deploy/back-off.ts';
import { record } from '../../core/events/record.ts';
import { bootTimeout, type Crash, nameCrash } from '../../core/instances/crash.ts';
import type { Instance } from '../../core/instances/instance.ts';
import type { EngineInstance } from '../../core/ports/engine.ts';
import type { ControlContext } from '../control-context.ts';
import { probe } from '../probe.ts';
import { noteInAppLog } from './app-log.ts';
import { isBootOver } from './boot-time.ts';
import type { Snapshot } from './snapshot.ts';

export interface Observed {
  /** True when a row changed: the snapshot is out of date. */
  readonly changed: boolean;
  /** Instances whose row says `starting` and which the engine does not know: to be started (again). */
  readonly unstarted: readonly Instance[];
  /** Healthy ones that the routing table may have by now: ready as soon as it has. */
  readonly admitted: readonly Instance[];
}

export async function observe(context: ControlContext, snapshot: Snapshot): Promise<Observed> {
  const unstarted: Instance[] = [];
  const admitted: Instance[] = [];
  const changes = await Promise.all(
    snapshot.instances.map(async (row) => {
      const actual = snapshot.actual.get(row.id) ?? null;
      if (row.state === 'draining' || row.state === 'crashed') return false;
      if (actual === null) {
        // Once it was found healthy its row says where it is: started elsewhere under the same id it would be sought there for ever.
        const isUnstarted = row.state === 'starting' && row.readyAt === null;
        if (isUnstarted) unstarted.push(row);
        else await lost(context, snapshot, row);
        return !isUnstarted;
      }
      if (actual.exit !== null) {
        await crashed(context, snapshot, row, nameCrash(actual.exit, memoryLimit(snapshot, row)));
        return true;
      }
      if (row.state !== 'starting') return false;
      if (row.readyAt === null) return becomesHealthy(context, snapshot, row, actual);
      admitted.push(row);
      return false;
    }),
  );
  return { changed: changes.some(Boolean), unstarted, admitted };
}

const memoryLimit = (snapshot: Snapshot, row: Instance): number =>
  snapshot.wanted.find(({ process }) => process.type === row.processType)?.process.memoryBytes ?? 0;

/** The engine no longer knows it (its node or agent lost it): the row goes, and the planner starts another. */
async function lost(context: ControlContext, snapshot: Snapshot, row: Instance): Promise<void> {
  await context.db.instances.remove(row.id);
  await noteInAppLog(
    context,
    snapshot.app.id,
    `at=error dynos="${row.processType}" code=R99 desc="The instance was lost and is replaced" instance=${row.id}`,
  );
}

async function becomesHealthy(
  context: ControlContext,
  snapshot: Snapshot,
  row: Instance,
  actual: EngineInstance,
): Promise<boolean> {
  const { clock, limits } = context;
  const process = snapshot.wanted.find((item) => item.process.type === row.processType)?.process ?? null;
  const healthy = await isHealthy(context, actual, process?.healthPath ?? null);
  if (healthy) {
    const { host = null, port = null } = actual.address ?? {};
    const now = clock.now();
    await context.db.instances.update(row.id, { nodeId: actual.nodeId, host, port, readyAt: now, updatedAt: now });
    return true;
  }
  if (!isBootOver(row, actual, limits.bootTimeoutMs, clock.now())) return false;
  await crashed(context, snapshot, row, bootTimeout(limits.bootTimeoutMs, actual.address?.port ?? null));
  await context.engine.stop(row.id, limits.graceMs);
  return true;
}

async function isHealthy(context: ControlContext, actual: EngineInstance, path: string | null): Promise<boolean> {
  if (actual.state !== 'running') return false;
  if (actual.address !== null) return probe({ ...actual.address, path });
  return (
    actual.startedAt !== null && context.clock.now().getTime() - actual.startedAt.getTime() >= context.limits.settleMs
  );
}

/** To be said when the routing table has it: `ready` means that requests reach it. */
export async function markReady(context: ControlContext, snapshot: Snapshot, row: Instance): Promise<void> {
  await context.db.transaction(async (stores) => {
    await stores.instances.update(row.id, { state: 'ready', updatedAt: context.clock.now() });
    await record(
      context,
      stores,
      systemActor,
      'InstanceReady',
      { app: snapshot.app },
      { instance: row.id, type: row.processType, release: row.releaseId },
    );
  });
}

async function crashed(context: ControlContext, snapshot: Snapshot, row: Instance, crash: Crash): Promise<void> {
  const now = context.clock.now();
  const wasStable = row.readyAt !== null && now.getTime() - row.readyAt.getTime() >= STABLE_AFTER_MS;
  const restarts = wasStable ? 0 : row.restarts;
  // A first crash at boot waits like any other; only one that had served comes back at once.
  const delayMs = restartDelayMs(row.readyAt === null ? restarts + 1 : restarts);
  await context.db.transaction(async (stores) => {
    await stores.instances.update(row.id, {
      state: 'crashed',
      restarts: restarts + 1,
      retryAt: new Date(now.getTime() + delayMs),
      failureCode: crash.code,
      failureMessage: crash.message,
      host: null,
      port: null,
      updatedAt: now,
    });
    await record(
      context,
      stores,
      systemActor,
      'InstanceCrashed',
      { app: snapshot.app },
      { instance: row.id, type: row.processType, code: crash.code, message: crash.message, restarts: restarts + 1 },
    );
  });
  await noteInAppLog(
    context,
    snapshot.app.id,
    `at=error dynos="${row.processType}" code=${crash.code} desc="${crash.message}" restarts=${restarts + 1} instance=${row.id}`,
    row,
  );
}
