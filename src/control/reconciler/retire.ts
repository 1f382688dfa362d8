/** Takes instances out of service: row says draining → router and links swapped → requests in flight end → stop → gone. Any step can be said again. */
import { setTimeout as wait } from 'node:timers/promises';
import type { ControlContext, ControlLimits } from '../control-context.ts';
import type { RoutingPublisher } from '../routing.ts';

const RETRY_MS = 500;

type RetirementContext = Pick<ControlContext, 'db' | 'clock' | 'router' | 'engine' | 'logger'> & {
  readonly limits: Pick<ControlLimits, 'drainTimeoutMs' | 'graceMs'>;
};

export class Retirement {
  readonly #context: RetirementContext;
  readonly #routing: RoutingPublisher;
  readonly #running = new Map<string, Promise<void>>();
  #stopped = false;
  /** Called when a retirement has ended. */
  readonly #ended: (appId: string) => void;

  constructor(context: RetirementContext, routing: RoutingPublisher, ended: (appId: string) => void) {
    this.#context = context;
    this.#routing = routing;
    this.#ended = ended;
  }

  /**
   * Marks and begins; does not wait for the end. Those under way already are left alone; gives the others. Also for instances that have no
   * row.
   */
  async begin(appId: string, instanceIds: readonly string[]): Promise<readonly string[]> {
    if (this.#stopped) return [];
    const { db, clock } = this.#context;
    const fresh = instanceIds.filter((id) => !this.#running.has(id));
    await Promise.all(fresh.map((id) => db.instances.update(id, { state: 'draining', updatedAt: clock.now() })));
    for (const id of fresh) this.#running.set(id, this.#carryThrough(appId, id));
    return fresh;
  }

  /** From now on nothing more is done; the next server takes up from the rows what was under way. */
  stop(): void {
    this.#stopped = true;
  }

  /** The loops run again. */
  resume(): void {
    this.#stopped = false;
  }

  async #carryThrough(appId: string, id: string): Promise<void> {
    try {
      await this.#retire(id);
    } catch (error) {
      if (this.#stopped) return;
      this.#context.logger.warn(
        { err: error, instance: id },
        'an instance could not be retired yet; it is tried again',
      );
      // Whatever is down needs a moment; without it the next pass would fail at once again.
      await wait(RETRY_MS, undefined, { ref: false });
    } finally {
      this.#running.delete(id);
      this.#ended(appId);
    }
  }

  async #retire(id: string): Promise<void> {
    const { router, engine, db, limits, logger } = this.#context;
    await this.#routing.publish();
    const { leftInFlight } = await router.drain([id], limits.drainTimeoutMs);
    if (leftInFlight > 0)
      logger.warn({ instance: id, leftInFlight }, 'requests were still in flight when the drain time was over');
    if (this.#stopped) return;
    await engine.stop(id, limits.graceMs);
    await engine.remove(id);
    await db.instances.remove(id);
  }
}
