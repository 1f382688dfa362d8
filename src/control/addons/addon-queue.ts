/**
 * Takes the operations of add-ons from their table, a few at a time, under leases with heartbeats, and lets `AddonSteps` make each add-on
 * as its rows say. What fails without the provider having refused is tried again, later each time; what a dead server left is taken over
 * when its lease has run out.
 */
import type { Operation } from '../../core/operations/operation.ts';
import { AddonRefused } from '../../core/ports/addon-provider.ts';
import type { AddonContext } from '../control-context.ts';
import { AddonSteps } from './addon-steps.ts';

const LEASE_MS = 6_000;
const HEARTBEAT_MS = 2_000;
const POLL_MS = 2_000;
const AT_ONCE = 4;
const RETRY_FIRST_MS = 500;
const RETRY_MAX_MS = 60_000;
/** With the waits between them about ten minutes. */
const ATTEMPTS_MAX = 15;
/** A provider that says "not ready yet" is asked again for so long. */
const PENDING_MAX_MS = 24 * 60 * 60_000;

export class AddonQueue {
  readonly #context: AddonContext;
  readonly #steps: AddonSteps;
  readonly #running = new Map<string, Promise<void>>();
  /** Operations of one add-on follow each other. */
  readonly #turns = new Map<string, Promise<void>>();
  #abort = new AbortController();
  #stopped = true;
  #taking: Promise<void> | null = null;
  #again = false;
  #poll: NodeJS.Timeout | null = null;

  constructor(context: AddonContext) {
    this.#context = context;
    this.#steps = new AddonSteps(context);
  }

  start(): void {
    this.#stopped = false;
    this.#abort = new AbortController();
    this.#poll = setInterval(() => this.wake(), POLL_MS);
    this.wake();
  }

  /** What is under way at a provider is left; the next server says it again. */
  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#poll) clearInterval(this.#poll);
    this.#abort.abort(new Error('the server stops'));
    await this.#taking;
    await Promise.all(this.#running.values());
  }

  wake(): void {
    if (this.#stopped) return;
    if (this.#taking !== null) {
      this.#again = true;
      return;
    }
    this.#taking = this.#take().finally(() => {
      this.#taking = null;
      if (this.#again) {
        this.#again = false;
        this.wake();
      }
    });
  }

  async #take(): Promise<void> {
    const { db, holder, logger } = this.#context;
    try {
      while (!this.#stopped && this.#running.size < AT_ONCE) {
        const operation = await db.operations.claim('addon', holder, LEASE_MS);
        if (operation === null) return;
        const done = this.#run(operation)
          .catch((error: unknown) =>
            logger.error({ err: error, operation: operation.id }, 'an add-on operation was cut off; it is tried again'),
          )
          .finally(() => {
            this.#running.delete(operation.id);
            this.wake();
          });
        this.#running.set(operation.id, done);
      }
    } catch (error) {
      logger.warn({ err: error }, 'the operations of add-ons could not be read; it is tried again');
    }
  }

  async #run(operation: Operation): Promise<void> {
    const { db, holder, logger } = this.#context;
    const addonId = operation.subjectId ?? '';
    const lost = new AbortController();
    const beat = async (): Promise<void> => {
      try {
        const { held } = await db.operations.heartbeat(operation.id, holder, LEASE_MS);
        if (!held) lost.abort(new Error('the lease was lost'));
      } catch (error) {
        logger.warn({ err: error, operation: operation.id }, 'the heartbeat of an add-on operation failed');
      }
    };
    const heartbeat = setInterval(() => void beat(), HEARTBEAT_MS);
    const before = this.#turns.get(addonId) ?? Promise.resolve();
    const turn = before.then(() => this.#work(operation, addonId, AbortSignal.any([lost.signal, this.#abort.signal])));
    const settled = turn.catch(() => {});
    this.#turns.set(addonId, settled);
    try {
      await turn;
    } finally {
      clearInterval(heartbeat);
      if (this.#turns.get(addonId) === settled) this.#turns.delete(addonId);
    }
  }

  async #work(operation: Operation, addonId: string, signal: AbortSignal): Promise<void> {
    const { db, holder, clock, logger } = this.#context;
    try {
      signal.throwIfAborted();
      const ready = await this.#steps.converge(addonId, signal);
      if (ready) {
        await db.operations.finish(operation.id, holder, 'succeeded', null);
        return;
      }
      if (clock.now().getTime() - operation.createdAt.getTime() < PENDING_MAX_MS) await this.#later(operation);
      else await this.#giveUp(operation, addonId, 'the provider did not make it ready within a day');
    } catch (error) {
      if (signal.aborted) {
        if (this.#stopped) await db.operations.heartbeat(operation.id, holder, 0);
        else logger.warn({ operation: operation.id }, 'an add-on operation was left to whoever holds its lease now');
      } else if (error instanceof AddonRefused) {
        await this.#giveUp(operation, addonId, error.message);
      } else if (operation.attempts >= ATTEMPTS_MAX) {
        logger.error({ err: error, addon: addonId }, 'an add-on could not be made as it should be');
        await this.#giveUp(operation, addonId, 'its provider could not be reached or did not work; try again later');
      } else {
        logger.warn(
          { err: error, addon: addonId, attempt: operation.attempts },
          'an add-on step failed; it is tried again',
        );
        await this.#later(operation);
      }
    }
  }

  /** Leaves the operation to be taken again after a while. */
  async #later(operation: Operation): Promise<void> {
    const waitMs = Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** Math.min(operation.attempts - 1, 20));
    await this.#context.db.operations.heartbeat(operation.id, this.#context.holder, waitMs);
    setTimeout(() => this.wake(), waitMs + 10).unref();
  }

  async #giveUp(operation: Operation, addonId: string, message: string): Promise<void> {
    await this.#steps.failed(addonId, message);
    await this.#context.db.operations.finish(operation.id, this.#context.holder, 'failed', message);
  }
}
