/** Removes what no row names (any more): instances, ended one-offs, build jobs. The engine is asked first, and rows are written before it is told. */
import type { ControlContext } from '../control-context.ts';

/** Somebody may still ask how a one-off ended. */
const ONE_OFF_KEPT_MS = 10 * 60_000;
const buildJob = /^build-([0-9a-f-]{36})-/;

export async function removeStrays(context: ControlContext): Promise<void> {
  await removeStrayInstances(context);
  await killStrayJobs(context);
}

async function removeStrayInstances({ engine, db, clock, logger }: ControlContext): Promise<void> {
  const listed = await engine.list();
  if (listed.length === 0) return;
  const known = new Set((await db.instances.all()).map((row) => row.id as string));
  const now = clock.now().getTime();
  for (const { id, kind, appId, exit } of listed) {
    const ended = kind === 'one-off' && exit !== null && now - exit.at.getTime() > ONE_OFF_KEPT_MS;
    const stray = kind === 'process' && !known.has(id);
    if (stray) logger.warn({ instance: id, appId }, 'an instance that no row names is removed');
    if (stray || ended) await engine.remove(id);
  }
}

/** A build that was cancelled while no server ran leaves a job that nobody waits for. */
async function killStrayJobs({ sandbox, db, logger }: ControlContext): Promise<void> {
  for (const job of await sandbox.jobs()) {
    const buildId = buildJob.exec(job)?.[1];
    if (buildId === undefined) continue;
    const build = await db.builds.findAny(buildId);
    if (build !== null && (build.status === 'queued' || build.status === 'running')) continue;
    logger.warn({ job }, 'a build job that nobody waits for is killed');
    await sandbox.kill(job);
  }
}
