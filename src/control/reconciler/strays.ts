/** Ends what no row names (any more): instances, ended one-offs, build jobs. The engine is asked first, and rows are written before it is told. */
import type { EngineInstance } from '../../core/ports/engine.ts';
import type { ControlContext } from '../control-context.ts';
import type { Retirement } from './retire.ts';
import type { Snapshot } from './snapshot.ts';

/** Somebody may still ask how a one-off ended. */
const ONE_OFF_KEPT_MS = 10 * 60_000;
const buildJob = /^build-([0-9a-f-]{36})-/;

type Known = Pick<EngineInstance, 'id' | 'kind'>;
const isStray = ({ id, kind }: Known, known: ReadonlySet<string>): boolean => kind === 'process' && !known.has(id);

/**
 * Begins to end the app's instances that no row names: they were given up while their node was out of reach, and it is back. True while one
 * of them may still write into a volume.
 */
export async function endStrays(
  { db, logger }: Pick<ControlContext, 'db' | 'logger'>,
  { app, instances, actual }: Pick<Snapshot, 'app' | 'instances' | 'actual'>,
  retirement: Retirement,
): Promise<boolean> {
  const rows = new Set<string>(instances.map(({ id }) => id));
  const unnamed = [...actual.values()].filter((each) => isStray(each, rows));
  if (unnamed.length === 0) return false;
  // Another server may have started something between both readings of the snapshot; what is started has its row before.
  const known = new Set<string>((await db.instances.list(app.id)).map(({ id }) => id));
  const strays = unnamed.filter((each) => isStray(each, known));
  await end(strays, retirement, logger);
  return strays.some(({ exit }) => exit === null);
}

export async function removeStrays(context: ControlContext, retirement: Retirement): Promise<void> {
  await removeStrayInstances(context, retirement);
  await killStrayJobs(context);
}

async function removeStrayInstances(
  { engine, db, clock, logger }: ControlContext,
  retirement: Retirement,
): Promise<void> {
  const listed = await engine.list();
  if (listed.length === 0) return;
  const known = new Set<string>((await db.instances.all()).map(({ id }) => id));
  const now = clock.now().getTime();
  for (const { id, kind, exit } of listed)
    if (kind === 'one-off' && exit !== null && now - exit.at.getTime() > ONE_OFF_KEPT_MS) await engine.remove(id);
  await end(
    listed.filter((each) => isStray(each, known)),
    retirement,
    logger,
  );
}

async function end(
  strays: readonly EngineInstance[],
  retirement: Retirement,
  logger: ControlContext['logger'],
): Promise<void> {
  for (const [appId, own] of Map.groupBy(strays, (stray) => stray.appId))
    for (const id of await retirement.begin(
      appId,
      own.map((stray) => stray.id),
    ))
      logger.warn({ instance: id, appId }, 'an instance that no row names is removed');
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
