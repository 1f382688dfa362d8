/** Graphs: values by the minute, from several sources of points. Pure. */

export interface Sample {
  readonly at: Date;
  readonly value: number;
}
export interface Point {
  readonly time: string;
  readonly value: number;
}

const MINUTE_MS = 60_000;

/** One point for each minute that has samples, oldest first; `fold` makes its value. */
export function byMinute(samples: readonly Sample[], fold: (values: readonly number[]) => number): readonly Point[] {
  const minutes = Map.groupBy(samples, ({ at }) => Math.floor(at.getTime() / MINUTE_MS) * MINUTE_MS);
  return [...minutes]
    .toSorted(([a], [b]) => a - b)
    .map(([minute, found]) => ({
      time: new Date(minute).toISOString(),
      value: Math.round(fold(found.map(({ value }) => value)) * 100) / 100,
    }));
}

export const count = (values: readonly number[]): number => values.length;
export const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);

/** The value that `percent` of the others are not above. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? 0;
}
