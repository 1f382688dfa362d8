import type { Actor } from '../access/actor.ts';
import type { App } from '../apps/app.ts';
import { BerthError } from '../errors.ts';
import type { FoundImages } from '../images/image-lookups.ts';
import { commandOfImage } from '../images/resolve-image.ts';
import type { CoreContext } from '../ports/core-context.ts';
import type { Stores } from '../ports/database.ts';
import type { ProcessView } from '../processes/process.ts';
import { baseRelease } from './base-release.ts';
import { createRelease } from './create-release.ts';
import type { Release, ReleasedProcess, StrategyName } from './release.ts';

export interface ImagesToRelease {
  /** Their images are released as `found` says; those without an image do not matter here. */
  readonly processes: readonly ProcessView[];
  readonly found: FoundImages;
  /** Types that begin a new series of seats. */
  readonly fresh: readonly string[];
  readonly strategy: StrategyName;
  readonly description?: string;
}

/**
 * A new release when what the processes' images name differs from what is released; null when nothing would change. In the caller's
 * transaction, which holds the app's lock. Throws what `found` throws, with the process type as `details.noun`.
 */
export async function releaseImages(
  context: CoreContext,
  stores: Stores,
  actor: Pick<Actor, 'name' | 'userId'>,
  app: App,
  input: ImagesToRelease,
): Promise<Release | null> {
  const base = await baseRelease(stores, app);
  const processes: Record<string, ReleasedProcess> = { ...base?.processes };
  for (const type of input.fresh) {
    const known = processes[type];
    if (known !== undefined) processes[type] = { ...known, series: known.series + 1 };
  }
  for (const process of input.processes) {
    if (process.image === null) continue;
    const { image } = process;
    const resolved = naming(process.type, () => input.found.image(image));
    processes[process.type] = {
      image,
      artifactDigest: resolved.artifactDigest,
      command: naming(process.type, () => commandOfImage(process, resolved)),
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

function naming<T>(type: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof BerthError) throw new BerthError(error.kind, error.message, { ...error.details, noun: type });
    throw error;
  }
}
