/** The metric store in memory: bounded in time (ten minutes fine, a day by the minute) and in the number of instances. */
import type { Clock } from '../core/ports/clock.ts';
import type { EngineInstance, InstanceStats } from '../core/ports/engine.ts';
import type { MetricQuery, MetricSeries, MetricSnapshot, MetricStore } from '../core/ports/metric-store.ts';
import { InstanceSeries } from './instance-series.ts';

export interface SeriesOptions {
  readonly clock: Clock;
  /** Distance of the samples. Default 5,000. */
  readonly stepMs?: number;
  /** How far back every sample is kept. Default ten minutes. */
  readonly fineMs?: number;
  /** Instances that are remembered, gone ones too; above it those silent for longest are forgotten. Default 2,000. */
  readonly maxInstances?: number;
}

export interface RecordingMetricStore extends MetricStore {
  /** Adds one round of samples. Samples of instances that `instances` does not name are ignored. */
  record(instances: readonly EngineInstance[], stats: readonly InstanceStats[]): void;
}

const dayMs = 86_400_000;

/** A metric store that keeps what a sampler records. */
export function createSeries(options: SeriesOptions): RecordingMetricStore {
  const { clock } = options;
  const stepMs = options.stepMs ?? 5000;
  const maxInstances = options.maxInstances ?? 2000;
  const fine = { stepMs, rows: Math.ceil((options.fineMs ?? 600_000) / stepMs) };
  /** In the order of the last sample: the front was silent for longest. */
  const known = new Map<string, InstanceSeries>();

  const forget = (): void => {
    const oldest = clock.now().getTime() - dayMs;
    for (const [id, series] of known) {
      if (known.size <= maxInstances && series.lastAt >= oldest) return;
      known.delete(id);
    }
  };

  const ofApp = (appId: string): InstanceSeries[] => [...known.values()].filter((series) => series.appId === appId);

  return {
    record(instances, stats) {
      const byId = new Map(instances.map((instance) => [instance.id, instance]));
      for (const sample of stats) {
        const instance = byId.get(sample.id);
        if (instance === undefined) continue;
        const series =
          known.get(sample.id) ?? new InstanceSeries(instance.appId, instance.id, instance.processType, fine);
        series.add(sample);
        known.delete(sample.id);
        known.set(sample.id, series);
      }
      forget();
    },
    query(query: MetricQuery): readonly MetricSeries[] {
      return ofApp(query.appId)
        .filter(({ process }) => query.process === undefined || process === query.process)
        .filter(({ instance }) => query.instance === undefined || instance === query.instance)
        .map((series) => series.read(query.metric, query.from.getTime(), query.to.getTime()))
        .filter(({ points }) => points.length > 0);
    },
    latest(appId: string): readonly MetricSnapshot[] {
      const oldest = clock.now().getTime() - 2.5 * stepMs;
      return ofApp(appId).flatMap((series) => (series.lastAt < oldest ? [] : (series.latest() ?? [])));
    },
  };
}
