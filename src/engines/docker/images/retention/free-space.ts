/** How much a node can still hold, and that nothing is built or pulled on one that is nearly full. */
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
    const bytes = Number.parseInt(await runIn({ api, container: names.helper }, script), 10);
    if (Number.isNaN(bytes)) throw new Error('a node does not say how much room it has');
    return bytes;
  } catch (error) {
    if (isStatus(error, 404, 409)) return null;
    throw error;
  }
}

/** Whether a node has as much free as the floor, if need be without its build cache; one that cannot be asked has. */
export async function roomOf(
  api: DockerApi,
  names: Pick<Names, 'helper'>,
  floorBytes: number,
): Promise<{ readonly isEnough: boolean; readonly freeBytes: number | null }> {
  const look = async () => {
    const freeBytes = await freeSpace(api, names);
    return { freeBytes, isEnough: freeBytes === null || freeBytes >= floorBytes };
  };
  const found = await look();
  if (found.isEnough) return found;
  await pruneBuildCache(api, 0);
  return look();
}

/** Throws BuildFailure `disk`, naming the setting, when the node has too little room. */
export async function admitBuild(api: DockerApi, names: Pick<Names, 'helper'>, floorBytes: number): Promise<void> {
  const { isEnough, freeBytes } = await roomOf(api, names, floorBytes);
  if (isEnough) return;
  throw new BuildFailure(
    'disk',
    `the disk of the node that builds is nearly full: ${inGibibytes(freeBytes ?? 0)} GiB are free and ${setting} wants ${inGibibytes(floorBytes)}`,
  );
}

export const filledByBuild = (floorBytes: number): BuildFailure =>
  new BuildFailure(
    'disk',
    `the build was ended because the disk of its node ran full: ${setting} keeps ${inGibibytes(floorBytes)} GiB free`,
  );

export const inGibibytes = (bytes: number): string => String(Math.round((bytes / gibibyte) * 10) / 10);
