import type { Actor } from '../access/actor.ts';
import type { App } from '../apps/app.ts';
import { BerthError } from '../errors.ts';
import { commandOfImage, type ImageSources, resolveImage } from '../images/resolve-image.ts';
import type { CoreContext } from '../ports/core-context.ts';
import type { ProcessView } from '../processes/process.ts';
import { baseRelease } from './base-release.ts';
import { createRelease } from './create-release.ts';
import type { Release, ReleasedProcess, StrategyName } from './release.ts';

export interface ImagesToRelease {
  /** Their images are looked up now; those without an image do not matter here. */
  readonly processes: readonly ProcessView[];
  /** Types that begin a new series of seats. */
  readonly fresh: readonly string[];
  readonly strategy: StrategyName;
  readonly description?: string;
}

/**
 * A new release when what the processes' images name differs from what is released; null when nothing would change. In the caller's
 * transaction, which holds the app's lock. Throws what `resolveImage` throws, with the process type as `details.noun`.
 */
export async function releaseImages(
  context: CoreContext,
  sources: ImageSources,
  actor: Pick<Actor, 'name' | 'userId'>,
  app: App,
  input: ImagesToRelease,
): Promise<Release | null> {
  const { stores } = sources;
  const base = await baseRelease(stores, app);
  const processes: Record<string, ReleasedProcess> = { ...base?.processes };
  for (const type of input.fresh) {
    const known = processes[type];
    if (known !== undefined) processes[type] = { ...known, series: known.series + 1 };
  }
  for (const process of input.processes) {
    if (process.image === null) continue;
    const resolved = await naming(process.type, async () => resolveImage(sources, app, process.image ?? ''));
    processes[process.type] = {
      image: process.image,
      artifactDigest: resolved.artifactDigest,
      command: await naming(process.type, async () => commandOfImage(process, resolved)),
      series: processes[process.type]?.series ?? 0,
    };
  }
  if (JSON.stringify(ordered(processes)) === JSON.stringify(ordered(base?.processes ?? {}))) return null;
  return createRelease(context, stores, actor, app, {
    kind: 'deploy',
    artifactDigest: base?.artifactDigest ?? null,
    buildId: base?.buildId ?? null,
    commands: base?.commands ?? {},
    processes,
    strategy: input.strategy,
    description: input.description ?? `Start ${Object.keys(processes).sort().join(', ')}`,
    rollbackOf: null,
    environment: await stores.config.resolve(app.id),
  });
}

/** The database gives fields of JSON in an order of its own. */
const ordered = (processes: Readonly<Record<string, ReleasedProcess>>): unknown =>
  Object.keys(processes)
    .sort()
    .map((type) => {
      const { image, artifactDigest, command, series } = processes[type] as ReleasedProcess;
      return [type, image, artifactDigest, command, series];
    });

async function naming<T>(type: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof BerthError) throw new BerthError(error.kind, error.message, { ...error.details, noun: type });
    throw error;
  }
}
