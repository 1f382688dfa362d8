/**
 * The loop that makes apps so: level-triggered, one pass over one app at a time, woken by commits and by the engine, with a slow
 * look at everything behind. Runs only in the replica that holds the lead.
 */
import type { ControlContext } from '../control-context.ts';
import type { RoutingPublisher } from '../routing.ts';
import { type PassParts, passOver } from './pass.ts';
import { Retirement } from './retire.ts';
import { removeStrays } from './strays.ts';
import { findUnsettled } from './unsettled.ts';

const FAILED_PASS_MS = 1_000;
const PASSES_AT_ONCE = 8;
/** One resync of so many looks at every app. */
const FULL_EVERY = 30;

export class Reconciler {
  readonly #context: ControlContext;
  readonly #routing: RoutingPublisher;
  readonly #retirement: Retirement;
  readonly #pass: PassParts;
  readonly #dirty = new Set<string>();
  readonly #running = new Set<string>();
  readonly #timers = new Map<string, NodeJS.Timeout>();
  #seen = new Map<string, { readonly appId: string; readonly state: string }>();
  #stopped = true;
  #rounds = 0;
  #resync: NodeJS.Timeout | null = null;
  #unwatch: (() => void) | null = null;

  constructor(context: ControlContext, routing: RoutingPublisher, tellNodes: PassParts['tellNodes']) {
    this.#context = context;
    this.#routing = routing;
    this.#retirement = new Retirement(context, routing, (appId) => this.wake(appId));
    this.#pass = { context, routing, retirement: this.#retirement, tellNodes };
  }

  /** Looks at every app, then keeps looking. */
  async start(): Promise<void> {
    this.#stopped = false;
    this.#retirement.resume();
    this.#unwatch = this.#context.engine.watch(() => void this.#wakeChanged());
    this.#rounds = 0;
    await this.#resyncNow();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#retirement.stop();
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
      void this.#wakeAll();
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
      againMs = await passOver(this.#pass, appId);
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

  /** Every so often at all apps; in between at those that are visibly not as they should be, so that many idle apps cost nothing. */
  async #resyncNow(): Promise<void> {
    try {
      if (this.#rounds % FULL_EVERY === 0) await this.#wakeAll();
      else for (const appId of await findUnsettled(this.#context)) this.wake(appId);
      this.#rounds += 1;
      await removeStrays(this.#context, this.#retirement);
      await this.#routing.publish();
    } catch (error) {
      this.#context.logger.warn({ err: error }, 'the resync failed; it is tried again');
    }
    if (!this.#stopped) this.#resync = setTimeout(() => void this.#resyncNow(), this.#context.limits.resyncMs);
  }

  /** The engine only says that something changed; what differs from the last list says whose app it is. */
  async #wakeChanged(): Promise<void> {
    try {
      const seen = new Map(
        (await this.#context.engine.list()).map((item) => [item.id, { appId: item.appId, state: item.state }]),
      );
      const before = this.#seen;
      this.#seen = seen;
      const changed = new Set<string>();
      for (const [id, { appId, state }] of seen) if (before.get(id)?.state !== state) changed.add(appId);
      for (const [id, { appId }] of before) if (!seen.has(id)) changed.add(appId);
      for (const appId of changed) this.wake(appId);
    } catch (error) {
      this.#context.logger.warn(
        { err: error },
        'the engine could not be asked what changed; the next resync tries again',
      );
    }
  }

  async #wakeAll(): Promise<void> {
    try {
      for (const appId of await this.#context.db.apps.allIds()) this.wake(appId);
    } catch (error) {
      this.#context.logger.warn({ err: error }, 'the apps could not be listed; the next resync tries again');
    }
  }
}
