/** Which instances a request has tried, and whether it may try another: the rules of retrying, without any input or output. */
import type { Balancer } from './balancer.ts';
import type { Failure } from './failures.ts';
import { closedEarly, connectFailed, noInstance } from './failures.ts';
import type { RouterLimits } from './limits.ts';
import type { RequestHead } from './request-head.ts';
import { isReplayable, longestIdleMs } from './retry.ts';
import type { Target } from './target.ts';

export class Attempts {
  /** The instance being tried, or that answered. It counts the request as in flight from `next` to `end`. */
  target: Target | null = null;
  /** How long a kept connection may have been idle to be taken for the next attempt; -1: only a new one. */
  maxIdleMs: number;
  readonly #head: RequestHead;
  readonly #limits: RouterLimits;
  readonly #balancer: Balancer;
  #tried: readonly Target[] = none;
  #sentAgain = false;
  #failure: Failure | null = null;
  /** Whether one of those tried is out of reach, which others may mend. */
  #outOfReach = false;

  constructor(head: RequestHead, limits: RouterLimits, balancer: Balancer) {
    this.#head = head;
    this.#limits = limits;
    this.#balancer = balancer;
    this.maxIdleMs = longestIdleMs(head);
  }

  /** Chooses the next instance, or says why there is none. */
  next(backendId: string, nowMs: number): Target | Failure {
    const target = this.#balancer.pick(backendId, nowMs, this.#tried);
    if (target === null) return this.#failure ?? noInstance;
    target.begin();
    this.target = target;
    return target;
  }

  /** No connection came about, so nothing was sent. True: try another. */
  refused(nowMs: number, isOutOfReach: boolean): boolean {
    this.target?.markFailing(nowMs);
    this.#outOfReach ||= isOutOfReach;
    return this.#passOver(connectFailed);
  }

  /** After the last try. True: all may be tried again in a moment. */
  mayComeBack(): boolean {
    if (!this.#outOfReach) return false;
    this.end();
    this.#outOfReach = false;
    this.#tried = none;
    return true;
  }

  /**
   * The connection ended before any answer. True: send the request once more; after a kept connection died over a new one to whoever is next,
   * else once to another instance.
   */
  closed(connectionWasKept: boolean): boolean {
    if (!isReplayable(this.#head)) return false;
    if (connectionWasKept) {
      this.end();
      this.maxIdleMs = -1;
      return true;
    }
    if (this.#sentAgain) return false;
    this.#sentAgain = true;
    return this.#passOver(closedEarly);
  }

  /** The request is no longer in flight to its instance. */
  end(): void {
    this.target?.end();
    this.target = null;
  }

  #passOver(failure: Failure): boolean {
    this.#failure = failure;
    if (this.target === null || this.#tried.length + 1 >= this.#limits.attempts) return false;
    this.#tried = [...this.#tried, this.target];
    this.end();
    return true;
  }
}

const none: readonly Target[] = [];
