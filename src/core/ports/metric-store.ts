/** What instances used, over time. Kept for a day at most and lost with the process: for people and the autoscaler, not for bills. */
export const instanceMetrics = [
  'memoryUsageBytes',
  'memoryResidentBytes',
  'memoryCacheBytes',
  'cpuCores',
  'pids',
  'receivedBytesPerSecond',
  'sentBytesPerSecond',
] as const;
export type InstanceMetric = (typeof instanceMetrics)[number];

export interface MetricQuery {
  readonly appId: string;
  readonly metric: InstanceMetric;
  readonly process?: string;
  readonly instance?: string;
  /** Both included. */
  readonly from: Date;
  readonly to: Date;
}

/** The points of one instance, oldest first; times without a sample are left out. */
export interface MetricSeries {
  readonly instance: string;
  readonly process: string;
  /** Distance of the points: 5,000 for what is recent, 60,000 for older. */
  readonly stepMs: number;
  readonly points: readonly { readonly at: Date; readonly value: number }[];
}

/** The newest sample of an instance; a value that the kernel does not tell, or that needs two samples, is null. */
export interface MetricSnapshot {
  readonly instance: string;
  readonly process: string;
  readonly at: Date;
  readonly memoryLimitBytes: number;
  /** The most memory it used in any sample that is kept. */
  readonly memoryPeakBytes: number;
  readonly values: Readonly<Record<InstanceMetric, number | null>>;
}

export interface MetricStore {
  /** One series for each matching instance that has points in the range. */
  query(query: MetricQuery): readonly MetricSeries[];
  /** The newest sample of each instance of an app that was sampled within the last two rounds. */
  latest(appId: string): readonly MetricSnapshot[];
}
