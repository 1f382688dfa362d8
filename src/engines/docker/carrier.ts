/** Follows running instances: carries their output to the logs, and ends one-offs at their time. One client of an install does it. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../../core/ports/clock.ts';
import type { LogStore } from '../../core/ports/log-store.ts';
import type { Logger } from '../../lib/logger.ts';
import type { DockerApi } from './api/docker-api.ts';
import type { Identity } from './identity.ts';
import { followOutput } from './log-follower.ts';
import type { Notes } from './notes.ts';
import { type Found, hasEnded } from './roster.ts';

export interface CarrierParts {
  readonly api: DockerApi;
  readonly notes: Notes;
  /** Null: another client does all of this. */
  readonly logAppender: Pick<LogStore, 'append'> | null;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Ends what is over its time. */
  readonly stop: (id: string, graceMs: number) => Promise<void>;
  readonly changed: () => void;
}

const drainMs = 15_000;
const longestTimerMs = 2 ** 31 - 1;

export class Carrier {
  readonly #parts: CarrierParts;
  readonly #following = new Map<string, Promise<void>>();
  readonly #deadlines = new Map<string, NodeJS.Timeout>();

  constructor(parts: CarrierParts) {
    this.#parts = parts;
  }

  /** Whether its end may be told: all that it printed is in the log. */
  isDrained(identity: Identity): boolean {
    const { logAppender, notes } = this.#parts;
    if (logAppender === null || identity.interactive || identity.startError !== null) return true;
    return notes.of(identity.id).isComplete;
  }

  /** Waits a while for the last lines of an instance that ended. */
  async drained(identity: Identity): Promise<void> {
    if (this.isDrained(identity)) return;
    const cancel = new AbortController();
    const patience = delay(drainMs, undefined, { signal: cancel.signal }).catch(() => {});
    await Promise.race([this.#following.get(identity.id), patience]);
    cancel.abort();
  }

  /** Known ones stay as they are. */
  follow({ identity, details }: Found): void {
    const { logAppender, signal, changed, api, notes, logger } = this.#parts;
    const { id, interactive, startError } = identity;
    if (logAppender === null) return;
    if (!hasEnded(details)) this.#watchDeadline(identity);
    if (interactive || startError !== null || this.#following.has(id)) return;
    const following = followOutput({
      ...{ api, identity, notes, logger, signal },
      container: details.Id,
      append: (stream, lines) => logAppender.append(stream, lines),
    })
      .catch(() => {})
      .finally(() => {
        this.#following.delete(id);
        changed();
      });
    this.#following.set(id, following);
  }

  /** Its container is gone. */
  async forget(id: string): Promise<void> {
    clearTimeout(this.#deadlines.get(id));
    this.#deadlines.delete(id);
    await this.#following.get(id);
    this.#parts.notes.forget(id);
  }

  /** To be said after the signal aborted. */
  async close(): Promise<void> {
    for (const timer of this.#deadlines.values()) clearTimeout(timer);
    await Promise.all(this.#following.values());
  }

  #watchDeadline({ id, deadline, graceMs }: Identity): void {
    const { clock, stop, logger } = this.#parts;
    if (deadline === null || this.#deadlines.has(id)) return;
    const left = Math.max(0, new Date(deadline).getTime() - clock.now().getTime());
    const end = (): void =>
      void stop(id, graceMs).catch((error: unknown) =>
        logger.warn({ error, instance: id }, 'it runs on over its time'),
      );
    this.#deadlines.set(id, setTimeout(end, Math.min(left, longestTimerMs)));
  }
}
