/** Ends running instances: asks, waits, kills; and remembers what was sent, because Docker does not. */
import { setTimeout as delay } from 'node:timers/promises';
import { unavailable } from '../../core/errors.ts';
import type { DockerApi } from './api/docker-api.ts';
import { isStatus } from './api/docker-error.ts';
import type { Names } from './names.ts';
import type { Notes } from './notes.ts';
import type { Found } from './roster.ts';
import { stopSignal } from './signals.ts';

export interface EndingParts {
  readonly api: DockerApi;
  readonly names: Names;
  readonly notes: Notes;
  readonly signal: AbortSignal;
  readonly changed: () => void;
  /** How long what was killed may go on. Default: a minute. */
  readonly killedMs?: number;
}

/** A process that waits for a disk, or a runtime that hangs, outlives SIGKILL. */
const usualKilledMs = 60_000;

export class Ending {
  readonly #parts: EndingParts;
  /** How many callers are ending it. */
  readonly #stopping = new Map<string, number>();

  constructor(parts: EndingParts) {
    this.#parts = parts;
  }

  isStopping(id: string): boolean {
    return this.#stopping.has(id);
  }

  /**
   * The signal that its image asks to be stopped with, else SIGTERM, to the group of its main process, SIGKILL to all of it after `graceMs`;
   * resolves when it does not run any more. Rejects with `unavailable` when it goes on even so; to be said again then.
   */
  async end({ identity: { id }, details }: Found, graceMs: number): Promise<void> {
    this.#stopping.set(id, (this.#stopping.get(id) ?? 0) + 1);
    this.#parts.changed();
    const giveUp = new AbortController();
    const over = this.untilNotRunning(id, giveUp.signal);
    over.catch(() => {});
    let late: NodeJS.Timeout | undefined;
    try {
      if (graceMs > 0 && (await this.#asked(id, stopSignal(details.Config.StopSignal), graceMs, over))) return;
      await this.send(id, 'SIGKILL');
      const trouble = unavailable('the instance was killed, and does not end');
      late = setTimeout(() => giveUp.abort(trouble), this.#parts.killedMs ?? usualKilledMs);
      await over;
    } finally {
      clearTimeout(late);
      giveUp.abort();
      const left = (this.#stopping.get(id) ?? 1) - 1;
      if (left === 0) this.#stopping.delete(id);
      else this.#stopping.set(id, left);
      this.#parts.changed();
    }
  }

  /** What is not running, or not there any more, needs none. */
  async send(id: string, signal: string): Promise<void> {
    const { api, names, notes } = this.#parts;
    notes.change(id, { sent: signal });
    try {
      await api.call('POST', `/containers/${names.instance(id)}/kill`, { query: { signal } });
    } catch (error) {
      if (!isStatus(error, 404, 409)) throw error;
    }
  }

  /** Rejects with the reason of `caller` when that gives up. */
  async untilNotRunning(id: string, caller?: AbortSignal): Promise<void> {
    const { api, names, signal: closed } = this.#parts;
    const signal = caller === undefined ? closed : AbortSignal.any([closed, caller]);
    try {
      await api.call('POST', `/containers/${names.instance(id)}/wait`, { timeoutMs: 0, signal });
    } catch (error) {
      if (!isStatus(error, 404)) throw error;
    }
  }

  /** Whether it ended by itself within its grace. */
  async #asked(id: string, signal: string, graceMs: number, over: Promise<void>): Promise<boolean> {
    await this.send(id, signal);
    const cancel = new AbortController();
    const patience = delay(graceMs, false, { signal: cancel.signal }).catch(() => false);
    const ended = await Promise.race([over.then(() => true), patience]);
    cancel.abort();
    return ended;
  }
}
