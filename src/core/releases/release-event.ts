/** What the event of a deployment's end says, so that it can be told without the rows, which go with the app. */
import type { Build } from '../builds/build.ts';
import type { PlatformEvent } from '../events/event.ts';
import type { Stores } from '../ports/database.ts';
import type { Release } from './release.ts';

type BuildPart = Pick<Build, 'id' | 'createdBy' | 'createdAt' | 'description'>;

/** `by`: the name of who deployed. `seconds`: since the build was asked for. */
export const buildOutcome = (build: BuildPart, now: Date): PlatformEvent['data'] => ({
  build: build.id,
  by: build.createdBy,
  commit: build.description.commit,
  seconds: secondsBetween(build.createdAt, now),
});

/** As `buildOutcome` where the release has a build; `kind` says whether it was a deployment at all. */
export async function releaseOutcome(
  stores: Pick<Stores, 'builds'>,
  release: Pick<Release, 'id' | 'version' | 'kind' | 'buildId' | 'createdBy' | 'createdAt'>,
  now: Date,
): Promise<PlatformEvent['data']> {
  const build =
    release.kind === 'deploy' && release.buildId !== null ? await stores.builds.findAny(release.buildId) : null;
  const { id, version, kind, createdBy, createdAt } = release;
  const own = { build: release.buildId, by: createdBy, commit: '', seconds: secondsBetween(createdAt, now) };
  return { release: id, version, kind, ...(build === null ? own : buildOutcome(build, now)) };
}

const secondsBetween = (from: Date, to: Date): number =>
  Math.max(0, Math.round((to.getTime() - from.getTime()) / 1_000));
