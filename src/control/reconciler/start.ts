/** Starts instances: first the row, then the engine, so that a crash in between leaves a row that is started again, not an orphan. */
import type { Instance } from '../../core/instances/instance.ts';
import { freeOrdinals, seatOf } from '../../core/instances/seat.ts';
import { Secret } from '../../core/ports/secret.ts';
import { isExclusive } from '../../core/processes/pod.ts';
import type { Release } from '../../core/releases/release.ts';
import type { ControlContext } from '../control-context.ts';
import type { Snapshot, WantedProcess } from './snapshot.ts';
import { linksOf, mountsOf } from './surroundings.ts';

/** Makes `count` new rows of a process and starts them. */
export async function startNew(
  context: ControlContext,
  snapshot: Snapshot,
  wanted: WantedProcess,
  release: Release,
  count: number,
): Promise<void> {
  const taken = snapshot.instances.filter((row) => holdsSeat(wanted, row)).map((row) => row.ordinal);
  const rows = freeOrdinals(new Set(taken), count).map((ordinal) => newRow(context, wanted, release, ordinal, 0));
  await Promise.all(
    rows.map(async (row) => {
      await context.db.instances.insert(row);
      await startRow(context, snapshot, row);
    }),
  );
}

/** Instances that a new one may not sit beside; of others the seats are told apart by their generation. */
const holdsSeat = ({ process, generation, runnable }: WantedProcess, row: Instance): boolean =>
  row.processType === process.type &&
  row.series === runnable.series &&
  (isExclusive(process) || (row.generation === generation && row.state !== 'draining'));

/** Puts a new instance in the place of a crashed one. */
export async function replaceCrashed(
  context: ControlContext,
  snapshot: Snapshot,
  wanted: WantedProcess,
  release: Release,
  crashed: Instance,
): Promise<void> {
  const row = newRow(context, wanted, release, crashed.ordinal, crashed.restarts);
  await context.db.transaction(async (stores) => {
    await stores.instances.remove(crashed.id);
    await stores.instances.insert(row);
  });
  await context.engine.remove(crashed.id);
  await startRow(context, snapshot, row);
}

/** Gives a row to the engine; known ids change nothing there. A row that is no longer wanted is dropped instead. */
export async function startRow(context: ControlContext, snapshot: Snapshot, row: Instance): Promise<void> {
  const { app, target } = snapshot;
  const wanted = snapshot.wanted.find(
    (item) => item.process.type === row.processType && item.generation === row.generation && item.quantity > 0,
  );
  if (wanted === undefined || target === null) {
    await context.db.instances.remove(row.id);
    return;
  }
  const { process, runnable } = wanted;
  const [config, own, mounts] = await Promise.all([
    context.db.config.findSnapshot(target.configSnapshotId),
    process.image === null ? [] : context.db.config.list('process', process.id),
    mountsOf(context, process, row),
  ]);
  await context.engine.start({
    id: row.id,
    kind: 'process',
    appId: app.id,
    appHandle: app.handle,
    spaceId: app.spaceId,
    poolId: app.poolId,
    processType: process.type,
    generation: row.generation,
    artifactDigest: runnable.artifactDigest,
    command: runnable.command,
    environment: {
      BERTH_APP: new Secret(app.handle),
      BERTH_PROCESS: new Secret(process.type),
      BERTH_INSTANCE: new Secret(row.id),
      BERTH_RELEASE: new Secret(`v${target.version}`),
      ...config,
      ...Object.fromEntries(own.map((item) => [item.name, item.value])),
    },
    ports: process.ports.length === 0 && process.routed ? 'any' : process.ports,
    pod: process.pod === null ? null : `${app.id}/${process.pod}/${seatOf(row)}`,
    seat: seatOf(row),
    mounts,
    links: linksOf(snapshot, process),
    limits: { memoryBytes: process.memoryBytes, cpuShares: process.cpuShares, pids: process.pids },
    graceMs: context.limits.graceMs,
  });
}

function newRow(
  context: ControlContext,
  wanted: WantedProcess,
  release: Release,
  ordinal: number,
  restarts: number,
): Instance {
  const now = context.clock.now();
  return {
    id: context.ids.id(),
    appId: wanted.process.appId,
    releaseId: release.id,
    processType: wanted.process.type,
    generation: wanted.generation,
    state: 'starting',
    series: wanted.runnable.series,
    ordinal,
    routed: wanted.process.routed,
    nodeId: null,
    host: null,
    port: null,
    restarts,
    retryAt: null,
    failureCode: null,
    failureMessage: null,
    createdAt: now,
    readyAt: null,
    updatedAt: now,
  };
}
