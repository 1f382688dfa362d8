import type { ProcessView } from './process.ts';

/** The process and those of its pod. */
export const podMates = <P extends Pick<ProcessView, 'id' | 'pod'>>(
  processes: readonly P[],
  process: P,
): readonly P[] => (process.pod === null ? [process] : processes.filter((other) => other.pod === process.pod));

/** Whether its instances have a volume in common, so that all of them are on one node. */
export const sharesVolume = (process: Pick<ProcessView, 'mounts'>): boolean =>
  process.mounts.some((mount) => mount.shared);

/** Whether two instances of the process may not be in one seat at a time: they would share a volume, or a port of the pod. */
export const isExclusive = (process: Pick<ProcessView, 'pod' | 'mounts'>): boolean =>
  process.pod !== null || process.mounts.some((mount) => !mount.shared);
