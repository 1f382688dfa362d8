/**
 * Retention of images on every node: those of this install that nothing needs go, and build cache over its limit. A node with less free than
 * the floor gives up all that can be made or fetched again.
 */
import type { DockerApi } from '../api/docker-api.ts';
import type { ImagesParts } from './images-parts.ts';
import { pruneBuildCache } from './retention/build-cache.ts';
import { type FoundImage, findImages } from './retention/found-images.ts';
import { defaultFloorBytes, freeSpace, inGibibytes, setting } from './retention/free-space.ts';
import { removeImage } from './retention/remove-image.ts';
import { freedBytes, unneeded } from './retention/unneeded.ts';

type Went = Awaited<ReturnType<typeof pruneImages>>;
type PruneParts = Pick<ImagesParts, 'nodes' | 'names' | 'clock' | 'logger' | 'freeSpaceFloorBytes' | 'registries'>;

/** An image younger than this may be one that is about to be named by a build or a release. */
const restMs = 60 * 60_000;
/** The same when room is wanted at once. */
const shortRestMs = 10 * 60_000;
const cacheBytes = 10 * 2 ** 30;

/** A node that does not answer now is looked at in the next round. */
export async function pruneImages(
  parts: PruneParts,
  keep: ReadonlySet<string>,
): Promise<{ readonly removed: number; readonly freedBytes: number }> {
  const nodes = await parts.nodes();
  const results = await Promise.allSettled(nodes.map((api) => pruneNode(parts, api, keep)));
  const went = results.flatMap((result) => {
    if (result.status === 'fulfilled') return [result.value];
    parts.logger.warn({ error: result.reason }, 'the images of a node could not be looked through');
    return [];
  });
  return went.reduce(sum, nothing);
}

const nothing: Went = { removed: 0, freedBytes: 0 };
const sum = (one: Went, other: Went): Went => ({
  removed: one.removed + other.removed,
  freedBytes: one.freedBytes + other.freedBytes,
});

async function pruneNode(parts: PruneParts, api: DockerApi, keep: ReadonlySet<string>): Promise<Went> {
  const { names, logger, freeSpaceFloorBytes: floor = defaultFloorBytes } = parts;
  const usual = await removeUnneeded(parts, api, keep, restMs);
  const cache = await pruneBuildCache(api, cacheBytes);
  const went = sum(usual, { removed: 0, freedBytes: cache });
  const free = await freeSpace(api, names);
  if (free === null || free >= floor) return went;
  const more = await removeUnneeded(parts, api, keep, shortRestMs);
  const allCache = await pruneBuildCache(api, 0);
  const left = await freeSpace(api, names);
  if (left !== null && left < floor) {
    logger.warn(
      { freeBytes: left, floorBytes: floor },
      `a node has only ${inGibibytes(left)} GiB free, ${setting} wants ${inGibibytes(floor)}: nothing is built there`,
    );
  }
  return [more, { removed: 0, freedBytes: allCache }].reduce(sum, went);
}

async function removeUnneeded(
  { names, clock, registries }: PruneParts,
  api: DockerApi,
  keep: ReadonlySet<string>,
  youngMs: number,
): Promise<Went> {
  const since = new Date(clock.now().getTime() - youngMs);
  const found = await findImages(api, names, registries?.own);
  let left: readonly FoundImage[] = found;
  let went = nothing;
  for (const image of unneeded(found, keep, since)) {
    if (!(await removeImage(api, image))) continue;
    left = left.filter((other) => other !== image);
    went = sum(went, { removed: 1, freedBytes: freedBytes(image, left, found) });
  }
  return went;
}
