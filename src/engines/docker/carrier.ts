/** Follows running instances: carries their output to the logs, and ends one-offs at their time. One client of an install does it. */
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

/** An end that is not told holds up whoever would replace the instance; so much later it is, whatever is still to be read. */
const patienceMs = 5_000;
const longestTimerMs = 2 ** 31 - 1;

interface Patience {
  readonly over: Promise<void>;
  end(): void;
  isOver: boolean;
}

export class Carrier {
  readonly #parts: CarrierParts;
  readonly #following = new Map<string, Promise<void>>();
  readonly #deadlines = new Map<string, NodeJS.Timeout>();
  /** With the last lines of those that ended, from when that was seen: nodes' clocks are their own. */
  readonly #patience = new Map<string, Patience>();

  constructor(parts: CarrierParts) {
    this.#parts = parts;
  }

  /** Whether the end of what has ended may be told: all that it printed is in the log, or that takes too long. */
  mayTellEnd(identity: Identity): boolean {
    return this.#isComplete(identity) || this.#patienceWith(identity.id).isOver;
  }

  /** Waits until the end of what has ended may be told. */
  async drained(identity: Identity): Promise<void> {
    if (this.#isComplete(identity)) return;
    const { over } = this.#patienceWith(identity.id);
    await Promise.race([this.#following.get(identity.id), over]);
  }

  /** Known ones stay as they are. */
  follow({ identity, details }: Found): void {
    const { logAppender, signal, changed, api, notes, logger, clock } = this.#parts;
    const { id, interactive, startError } = identity;
    if (logAppender === null) return;
    if (!hasEnded(details)) this.#watchDeadline(identity);
    if (interactive || startError !== null || this.#following.has(id)) return;
    const following = followOutput({
      ...{ api, identity, notes, logger, clock, signal },
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

  /** Its container is gone. What is still being read of its output goes into the log. */
  forget(id: string): void {
    clearTimeout(this.#deadlines.get(id));
    this.#deadlines.delete(id);
    this.#patience.get(id)?.end();
    this.#patience.delete(id);
    const { notes } = this.#parts;
    const following = this.#following.get(id);
    if (following === undefined) notes.forget(id);
    else void following.then(() => notes.forget(id));
  }

  /** To be said after the signal aborted. */
  async close(): Promise<void> {
    for (const timer of this.#deadlines.values()) clearTimeout(timer);
    for (const patience of this.#patience.values()) patience.end();
    await Promise.all(this.#following.values());
  }

  #isComplete(identity: Identity): boolean {
    const { logAppender, notes } = this.#parts;
    if (logAppender === null || identity.interactive || identity.startError !== null) return true;
    return notes.of(identity.id).isComplete;
  }

  #patienceWith(id: string): Patience {
    const known = this.#patience.get(id);
    if (known !== undefined) return known;
    const { promise: over, resolve } = Promise.withResolvers<void>();
    const end = (): void => {
      clearTimeout(timer);
      patience.isOver = true;
      resolve();
    };
    const timer = setTimeout(() => {
      end();
      this.#parts.changed();
    }, patienceMs);
    const patience: Patience = { over, end, isOver: false };
    this.#patience.set(id, patience);
    return patience;
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
