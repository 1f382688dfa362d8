/** Asks the engine every few seconds what its running instances use. A slow engine makes rounds rarer, never more than one at a time. */
import type { Engine, EngineInstance, InstanceStats } from '../core/ports/engine.ts';
import type { Logger } from '../lib/logger.ts';

export interface SamplerOptions {
  readonly engine: Pick<Engine, 'list' | 'stats'>;
  readonly record: (instances: readonly EngineInstance[], stats: readonly InstanceStats[]) => void;
  readonly logger: Logger;
  /** From the begin of one round to the next. Default 5,000. */
  readonly everyMs?: number;
}

export class Sampler {
  readonly #options: SamplerOptions;
  #timer: NodeJS.Timeout | null = null;
  #round: Promise<void> | null = null;
  #running = false;
  #failing = false;

  constructor(options: SamplerOptions) {
    this.#options = options;
  }

  /** Begins with a round at once. */
  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#next();
  }

  /** Resolves when no round is under way any more. */
  async stop(): Promise<void> {
    this.#running = false;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#round;
  }

  /** One round: lists, asks, records. Rejects when the engine does. */
  async sample(): Promise<void> {
    const { engine, record } = this.#options;
    const instances = (await engine.list()).filter(({ state }) => state === 'running' || state === 'stopping');
    const stats = instances.length === 0 ? [] : await engine.stats(instances.map(({ id }) => id));
    record(instances, stats);
  }

  #next(): void {
    const begin = performance.now();
    this.#round = this.sample()
      .then(() => this.#note(null))
      .catch((error: unknown) => this.#note(error))
      .then(() => {
        if (!this.#running) return;
        const waitMs = Math.max(0, (this.#options.everyMs ?? 5000) - (performance.now() - begin));
        this.#timer = setTimeout(() => this.#next(), waitMs);
      });
  }

  /** One line when it begins to fail and one when it works again, not one each round. */
  #note(error: unknown): void {
    if (error !== null && !this.#failing) this.#options.logger.warn({ error }, 'sampling the engine fails');
    if (error === null && this.#failing) this.#options.logger.info({}, 'sampling the engine works again');
    this.#failing = error !== null;
  }
}
