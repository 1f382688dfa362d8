import type { Actor } from '../access/actor.ts';
import { fetchApp } from '../apps/app-access.ts';
import type { CoreContext } from '../ports/core-context.ts';
import type { MetricQuery, MetricSeries, MetricStore } from '../ports/metric-store.ts';

/** What instances of an app used, over time, as far as this server has seen it. */
export class MetricService {
  readonly #context: CoreContext;
  readonly #metrics: MetricStore | null;
  constructor(context: CoreContext, metrics: MetricStore | null) {
    this.#context = context;
    this.#metrics = metrics;
  }

  /** One series for each matching instance, gone ones too. */
  async query(actor: Actor, reference: string, query: Omit<MetricQuery, 'appId'>): Promise<readonly MetricSeries[]> {
    const app = await fetchApp(this.#context.db, actor, reference, 'app.read.metric');
    return this.#metrics?.query({ ...query, appId: app.id }) ?? [];
  }
}
