/** Slows down guessing: a bucket for each account and each address, in memory of one replica. Bounded in size. */
import { BerthError } from '../errors.ts';
import type { Clock } from '../ports/clock.ts';

const FAILURES_ALLOWED = 10;
const WINDOW_MS = 15 * 60_000;
const BUCKETS_MAX = 10_000;

export class LoginLimiter {
  readonly #clock: Clock;
  readonly #buckets = new Map<string, { failures: number; since: number }>();
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Throws `rate-limited` when one of the keys has failed too often within the window. */
  check(keys: readonly string[]): void {
    for (const key of keys) {
      const bucket = this.#buckets.get(key);
      if (bucket === undefined) continue;
      const left = bucket.since + WINDOW_MS - this.#clock.monotonicMs();
      if (left <= 0) this.#buckets.delete(key);
      else if (bucket.failures >= FAILURES_ALLOWED) {
        throw new BerthError('rate-limited', 'too many failed logins, try again later', { retryAfterMs: left });
      }
    }
  }

  failed(keys: readonly string[]): void {
    for (const key of keys) {
      const bucket = this.#buckets.get(key);
      if (bucket) bucket.failures += 1;
      else {
        const oldest = this.#buckets.keys().next();
        if (this.#buckets.size >= BUCKETS_MAX && !oldest.done) this.#buckets.delete(oldest.value);
        this.#buckets.set(key, { failures: 1, since: this.#clock.monotonicMs() });
      }
    }
  }

  succeeded(keys: readonly string[]): void {
    for (const key of keys) this.#buckets.delete(key);
  }
}
