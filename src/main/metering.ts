/** What instances use, sampled by each server for itself and kept in its memory: for people who look, within bounds that fit a small machine. */
import type { Clock } from '../core/ports/clock.ts';
import type { Engine } from '../core/ports/engine.ts';
import type { MetricStore } from '../core/ports/metric-store.ts';
import type { Logger } from '../lib/logger.ts';
import { Sampler } from '../metering/sampler.ts';
import { createSeries } from '../metering/series.ts';

/** Often enough for a graph, seldom enough not to be felt: a round is two questions to the engine. */
const STEP_MS = 10_000;
/** After a day an instance takes about 55 KB. */
const INSTANCES_MAX = 500;

export interface Metering {
  readonly store: MetricStore;
  start(): void;
  stop(): Promise<void>;
}

export function createMetering(parts: {
  readonly engine: Engine;
  readonly clock: Clock;
  readonly logger: Logger;
}): Metering {
  const store = createSeries({ clock: parts.clock, stepMs: STEP_MS, maxInstances: INSTANCES_MAX });
  const sampler = new Sampler({
    engine: parts.engine,
    record: (instances, stats) => store.record(instances, stats),
    logger: parts.logger,
    everyMs: STEP_MS,
  });
  return { store, start: () => sampler.start(), stop: () => sampler.stop() };
}
