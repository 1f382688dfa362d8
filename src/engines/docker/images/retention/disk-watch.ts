/** Ends what would fill the disk of its node: nothing on a daemon limits what a step of a build writes, or how large an image is. */
import type { DockerApi } from '../../api/docker-api.ts';
import type { Names } from '../../names.ts';
import { freeSpace } from './free-space.ts';

export interface WatchedDisk {
  readonly api: DockerApi;
  readonly names: Pick<Names, 'helper'>;
  readonly floorBytes: number;
}

const lookMs = 2_000;

/** Rejects with what `filledUp` says, after `work` ended by the signal that it is given, when less than the floor is left. */
export async function whileSpaceLasts<T>(
  { api, names, floorBytes }: WatchedDisk,
  signal: AbortSignal,
  work: (bounded: AbortSignal) => Promise<T>,
  filledUp: () => Error,
): Promise<T> {
  const full = new AbortController();
  let isLooking = false;
  const look = async (): Promise<void> => {
    if (isLooking) return;
    isLooking = true;
    try {
      const free = await freeSpace(api, names);
      if (free !== null && free < floorBytes) full.abort(filledUp());
    } catch {
      // A daemon that does not answer ends the work by itself.
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
