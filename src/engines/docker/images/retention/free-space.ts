/** How much a node can still hold, and that no build begins on one that is nearly full. */
import { BuildFailure } from '../../../../core/ports/builder.ts';
import type { DockerApi } from '../../api/docker-api.ts';
import { isStatus } from '../../api/docker-error.ts';
import type { Names } from '../../names.ts';
import { runIn } from '../../run-in.ts';
import { pruneBuildCache } from './build-cache.ts';

export const setting = 'BERTH_DOCKER_FREE_SPACE';
const gibibyte = 2 ** 30;
export const defaultFloorBytes = 5 * gibibyte;

/** A container's own files lie where the images do, so what is free there is what the node has for both. */
const script = 'df --block-size=1 --output=avail / | tail -n 1';

/** Bytes; null where the node's helper does not run: then nothing of this install runs there, and nothing is built. */
export async function freeSpace(api: DockerApi, names: Pick<Names, 'helper'>): Promise<number | null> {
  try {
    return Number(await runIn(api, names.helper, script));
  } catch (error) {
    if (isStatus(error, 404, 409)) return null;
    throw error;
  }
}

/** Throws BuildFailure `disk`, naming the setting, when the node has less free than the floor even without its build cache. */
export async function admitBuild(api: DockerApi, names: Pick<Names, 'helper'>, floorBytes: number): Promise<void> {
  const isBelow = (bytes: number | null): bytes is number => bytes !== null && bytes < floorBytes;
  if (!isBelow(await freeSpace(api, names))) return;
  await pruneBuildCache(api, 0);
  const free = await freeSpace(api, names);
  if (!isBelow(free)) return;
  throw new BuildFailure(
    'disk',
    `the disk of the node that builds is nearly full: ${inGibibytes(free)} GiB are free and ${setting} wants ${inGibibytes(floorBytes)}`,
  );
}

export const inGibibytes = (bytes: number): string => String(Math.round((bytes / gibibyte) * 10) / 10);
