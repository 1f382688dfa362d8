/**
 * A process of quantity n has n seats, numbered from 0. An instance fills a seat; when it ends, the next one in the seat finds the seat's
 * volumes and name. A hot swap starts a new series of seats, because two instances may not share one.
 */
export const seatOf = (instance: { readonly series: number; readonly ordinal: number }): string =>
  `${instance.series}-${instance.ordinal}`;

/** The seat of a volume that all instances share. */
export const SHARED_SEAT = '*';

/** The lowest `count` ordinals that are not `taken`. */
export function freeOrdinals(taken: ReadonlySet<number>, count: number): readonly number[] {
  const free: number[] = [];
  for (let ordinal = 0; free.length < count; ordinal += 1) if (!taken.has(ordinal)) free.push(ordinal);
  return free;
}
