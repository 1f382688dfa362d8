/** Takes instances out of service: row says draining → router swapped → requests in flight end → stop → gone. Any step can be said again. */
import type { ControlContext } from '../control-context.ts';
import type { RoutingPublisher } from '../routing.ts';

export class Retirement {
  readonly #context: ControlContext;
  readonly #routing: RoutingPublisher;
  readonly #running = new Map<string, Promise<void>>();
  /** Called when a retirement has ended. */
  readonly #ended: (appId: string) => void;

  constructor(context: ControlContext, routing: RoutingPublisher, ended: (appId: string) => void) {
    this.#context = context;
    this.#routing = routing;
    this.#ended = ended;
  }

  /** Marks and begins; does not wait for the end. Those under way already are left alone. */
  async begin(appId: string, instanceIds: readonly string[]): Promise<void> {
    const { db, clock } = this.#context;
    const fresh = instanceIds.filter((id) => !this.#running.has(id));
    await Promise.all(fresh.map((id) => db.instances.update(id, { state: 'draining', updatedAt: clock.now() })));
    for (const id of fresh) {
      const work = this.#retire(id)
        .catch((error: unknown) =>
          this.#context.logger.warn(
            { err: error, instance: id },
            'an instance could not be retired yet; it is tried again',
          ),
        )
        .finally(() => {
          this.#running.delete(id);
          this.#ended(appId);
        });
      this.#running.set(id, work);
    }
  }

  /** Resolves when none is under way. */
  async idle(): Promise<void> {
    await Promise.all(this.#running.values());
  }

  async #retire(id: string): Promise<void> {
    const { router, engine, db, limits, logger } = this.#context;
    await this.#routing.publish();
    const { leftInFlight } = await router.drain([id], limits.drainTimeoutMs);
    if (leftInFlight > 0)
      logger.warn({ instance: id, leftInFlight }, 'requests were still in flight when the drain time was over');
    await engine.stop(id, limits.graceMs);
    await engine.remove(id);
    await db.instances.remove(id);
  }
}
