/**
 * The loop that makes apps so: level-triggered, one pass over one app at a time, woken by commits and by the engine, with a slow
 * look at everything behind. Runs only in the replica that holds the lead.
 */
import type { ControlContext } from '../control-context.ts';
import type { RoutingPublisher } from '../routing.ts';
import { passOver } from './pass.ts';
import { Retirement } from './retire.ts';
import { removeStrays } from './strays.ts';

const FAILED_PASS_MS = 1_000;
const PASSES_AT_ONCE = 8;

export class Reconciler {
  readonly #context: ControlContext;
  readonly #routing: RoutingPublisher;
  readonly #retirement: Retirement;
  readonly #dirty = new Set<string>();
  readonly #running = new Set<string>();
  readonly #timers = new Map<string, NodeJS.Timeout>();
  #stopped = true;
  #resync: NodeJS.Timeout | null = null;
  #unwatch: (() => void) | null = null;

  constructor(context: ControlContext, routing: RoutingPublisher) {
    this.#context = context;
    this.#routing = routing;
    this.#retirement = new Retirement(context, routing, (appId) => this.wake(appId));
  }

  /** Looks at every app, then keeps looking. */
  async start(): Promise<void> {
    this.#stopped = false;
    this.#unwatch = this.#context.engine.watch(() => void this.#wakeChanged());
    await this.#lookAtAll();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#unwatch?.();
    if (this.#resync) clearTimeout(this.#resync);
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    this.#dirty.clear();
    while (this.#running.size > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  /** Looks at an app soon; `*` at all. Never throws. */
  wake(appId: string): void {
    if (this.#stopped) return;
    if (appId === '*') {
      void this.#wakeChanged();
      return;
    }
    const timer = this.#timers.get(appId);
    if (timer) clearTimeout(timer);
    this.#timers.delete(appId);
    this.#dirty.add(appId);
    this.#pump();
  }

  #pump(): void {
    for (const appId of this.#dirty) {
      if (this.#running.size >= PASSES_AT_ONCE) return;
      if (this.#running.has(appId)) continue;
      this.#dirty.delete(appId);
      this.#running.add(appId);
      void this.#run(appId);
    }
  }

  async #run(appId: string): Promise<void> {
    let againMs: number | null = FAILED_PASS_MS;
    try {
      againMs = await passOver({ context: this.#context, routing: this.#routing, retirement: this.#retirement }, appId);
    } catch (error) {
      this.#context.logger.warn({ err: error, appId }, 'a pass over an app failed; it is tried again');
    } finally {
      this.#running.delete(appId);
    }
    if (this.#stopped) return;
    if (againMs !== null && !this.#dirty.has(appId)) {
      this.#timers.set(
        appId,
        setTimeout(() => this.wake(appId), againMs),
      );
    }
    this.#pump();
  }

  async #lookAtAll(): Promise<void> {
    try {
      await this.#wakeChanged();
      await removeStrays(this.#context);
      await this.#routing.publish();
    } catch (error) {
      this.#context.logger.warn({ err: error }, 'the resync failed; it is tried again');
    }
    if (!this.#stopped) this.#resync = setTimeout(() => void this.#lookAtAll(), this.#context.limits.resyncMs);
  }

  /** The engine does not say whose instance changed, and a look at an app with nothing to do is one cheap pass. */
  async #wakeChanged(): Promise<void> {
    try {
      for (const appId of await this.#context.db.apps.allIds()) this.wake(appId);
    } catch (error) {
      this.#context.logger.warn({ err: error }, 'the apps could not be listed; the next resync tries again');
    }
  }
}
