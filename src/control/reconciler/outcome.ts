/** Decides how a release and the app's open operations ended, from what runs. */
import { systemActor } from '../../core/access/actor.ts';
import { refusalLines, sayInDeployment, stepLine } from '../../core/deployments/deployment-log.ts';
import { record } from '../../core/events/record.ts';
import type { Instance } from '../../core/instances/instance.ts';
import type { Stores } from '../../core/ports/database.ts';
import type { Release } from '../../core/releases/release.ts';
import { releaseOutcome } from '../../core/releases/release-event.ts';
import type { ControlContext } from '../control-context.ts';
import { lastLines, noteInAppLog } from './app-log.ts';
import type { Snapshot } from './snapshot.ts';

const LINES_SHOWN = 5;

/** Pure: whether every wanted process runs as wanted and nothing else serves. */
export function isConverged({ wanted, instances }: Pick<Snapshot, 'wanted' | 'instances'>): boolean {
  const living = instances.filter((row) => row.state !== 'draining');
  const expected = wanted.reduce((sum, item) => sum + item.quantity, 0);
  if (living.length !== expected) return false;
  return wanted.every(({ process, generation, quantity }) => {
    const ready = living.filter(
      (row) => row.processType === process.type && row.generation === generation && row.state === 'ready',
    );
    return ready.length === quantity;
  });
}

/** Pure: the instance whose crash fails the pending release, or null. */
export function failingInstance({
  pending,
  instances,
  wanted,
}: Pick<Snapshot, 'pending' | 'instances' | 'wanted'>): Instance | null {
  if (pending === null) return null;
  const generations = new Set(wanted.map((item) => `${item.process.type} ${item.generation}`));
  return (
    instances.find(
      (row) =>
        row.state === 'crashed' &&
        row.releaseId === pending.id &&
        generations.has(`${row.processType} ${row.generation}`),
    ) ?? null
  );
}

export async function failRelease(
  context: ControlContext,
  snapshot: Snapshot,
  release: Release,
  cause: Instance,
): Promise<void> {
  const { db, clock } = context;
  const lines = await lastLines(context, snapshot.app.id, cause.id, LINES_SHOWN);
  const reason = `${cause.processType}: ${cause.failureMessage ?? 'crashed'}`;
  const message = lines.length === 0 ? reason : `${reason}\nLast lines:\n${lines.join('\n')}`;
  const now = clock.now();
  await db.transaction(async (stores) => {
    const advanced = await stores.releases.advance(release.id, ['pending'], {
      status: 'failed',
      failureCode: cause.failureCode,
      failureMessage: message,
      updatedAt: now,
    });
    if (!advanced) return;
    await sayOfDeployment(context, stores, release, refusalLines(message));
    // With nothing better to go back to it stays the one that is tried, so that it comes up when its cause is gone.
    if (snapshot.app.currentReleaseId === null)
      await stores.apps.update(snapshot.app.id, { currentReleaseId: release.id, updatedAt: now });
    else await keepFormerImages(stores, snapshot);
    const operation = await stores.operations.findBySubject(release.id);
    if (operation !== null) await stores.operations.finish(operation.id, null, 'failed', message);
    await record(
      context,
      stores,
      systemActor,
      'ReleaseFailed',
      { app: snapshot.app },
      { ...(await releaseOutcome(stores, release, now)), code: cause.failureCode, message: reason },
    );
  });
  await noteInAppLog(
    context,
    snapshot.app.id,
    `Release v${release.version} failed: ${reason}${snapshot.app.currentReleaseId === null ? '' : '; the release before serves on'}`,
  );
}

/** What is started next is what serves, not the image that failed. */
async function keepFormerImages(stores: Stores, { app, processes }: Snapshot): Promise<void> {
  const current = app.currentReleaseId === null ? null : await stores.releases.find(app.id, app.currentReleaseId);
  for (const process of processes) {
    const image = current?.processes[process.type]?.image;
    if (image !== undefined && image !== process.image) await stores.processes.update(process.id, { image });
  }
}

export async function succeedRelease(context: ControlContext, snapshot: Snapshot, release: Release): Promise<void> {
  const { db, clock } = context;
  const now = clock.now();
  await db.transaction(async (stores) => {
    const advanced = await stores.releases.advance(release.id, ['pending'], { status: 'succeeded', updatedAt: now });
    if (!advanced) return;
    await sayOfDeployment(context, stores, release, stepLine(`v${release.version} of ${snapshot.app.handle} runs`));
    await stores.apps.update(snapshot.app.id, { currentReleaseId: release.id, releasedAt: now, updatedAt: now });
    await record(
      context,
      stores,
      systemActor,
      'ReleaseSucceeded',
      { app: snapshot.app },
      await releaseOutcome(stores, release, now),
    );
  });
  await noteInAppLog(context, snapshot.app.id, `Release v${release.version} finished.`);
}

/** In the log of the build that the release deploys; before others see the change, because who watches reads the log to its end then. */
async function sayOfDeployment(
  { logs, clock, logger }: ControlContext,
  stores: Stores,
  { id, appId, buildId }: Release,
  text: string,
): Promise<void> {
  const deployment = buildId === null ? null : await stores.deployments.find(appId, buildId);
  if (deployment === null || !deployment.build.autoRelease || deployment.release?.id !== id) return;
  await sayInDeployment({ logs, clock }, deployment.build.id, text).catch((error: unknown) =>
    logger.warn({ err: error, build: buildId }, 'the log of a deployment could not be written'),
  );
}

/** Ends what was asked for: succeeded when converged, failed when an instance cannot run. Releases superseded meanwhile count as cancelled. */
export async function finishOperations(context: ControlContext, snapshot: Snapshot, converged: boolean): Promise<void> {
  const { operations, releases } = context.db;
  const crashed = snapshot.instances.find((row) => row.state === 'crashed');
  for (const operation of snapshot.operations) {
    if (operation.kind === 'delete') continue;
    if (operation.kind === 'deploy' && operation.subjectId !== null) {
      const release = await releases.find(snapshot.app.id, operation.subjectId);
      if (release === null || release.status === 'superseded')
        await operations.finish(operation.id, null, 'cancelled', 'superseded by a newer release');
      else if (release.status === 'succeeded') await operations.finish(operation.id, null, 'succeeded', null);
      else if (release.status === 'failed')
        await operations.finish(operation.id, null, 'failed', release.failureMessage);
    } else if (converged) await operations.finish(operation.id, null, 'succeeded', null);
    else if (crashed !== undefined && snapshot.pending === null)
      await operations.finish(operation.id, null, 'failed', crashed.failureMessage);
  }
}
