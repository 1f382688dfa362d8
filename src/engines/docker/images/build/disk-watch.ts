/** Ends a build that would fill the disk of its node: nothing on a daemon limits what a step writes. */
import { BuildFailure } from '../../../../core/ports/builder.ts';
import type { DockerApi } from '../../api/docker-api.ts';
import type { Names } from '../../names.ts';
import { freeSpace, inGibibytes, setting } from '../retention/free-space.ts';

export interface WatchedDisk {
  readonly api: DockerApi;
  readonly names: Pick<Names, 'helper'>;
  readonly floorBytes: number;
}

const lookMs = 2_000;

/** Rejects with BuildFailure `disk`, after `work` ended by the signal that it is given, when less than the floor is left. */
export async function whileSpaceLasts<T>(
  { api, names, floorBytes }: WatchedDisk,
  signal: AbortSignal,
  work: (bounded: AbortSignal) => Promise<T>,
): Promise<T> {
  const full = new AbortController();
  let isLooking = false;
  const look = async (): Promise<void> => {
    if (isLooking) return;
    isLooking = true;
    try {
      const free = await freeSpace(api, names);
      if (free !== null && free < floorBytes) full.abort(filledUp(floorBytes));
    } catch {
      // A daemon that does not answer ends the build by itself.
    } finally {
      isLooking = false;
    }
  };
  const timer = setInterval(() => void look(), lookMs);
  try {
    return await work(AbortSignal.any([signal, full.signal]));
  } catch (error) {
    throw full.signal.aborted ? full.signal.reason : error;
  } finally {
    clearInterval(timer);
  }
}

const filledUp = (floorBytes: number): BuildFailure =>
  new BuildFailure(
    'disk',
    `the build was ended because the disk of its node ran full: ${setting} keeps ${inGibibytes(floorBytes)} GiB free`,
  );
