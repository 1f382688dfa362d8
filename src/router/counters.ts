/** What each app received and how it went, counted by workers and added up by the router. */
import type { RouterCounters } from '../core/ports/router.ts';

export interface AppCounters {
  requests: number;
  /** Answered 5xx by the app or the router, or cut before their end; clients that went away do not count. */
  failed: number;
  byStatus: Record<string, number>;
  /** Payload of request and response bodies. */
  receivedBytes: number;
  sentBytes: number;
  /** From the request's head to the end of its answer; upgraded connections until they were upgraded. */
  durationSeconds: number;
  inFlight: number;
}

export type CountersByApp = Record<string, AppCounters>;

const zero = (): AppCounters => ({
  requests: 0,
  failed: 0,
  byStatus: {},
  receivedBytes: 0,
  sentBytes: 0,
  durationSeconds: 0,
  inFlight: 0,
});

export class Counters {
  readonly #apps = new Map<string, AppCounters>();

  of(appId: string): AppCounters {
    const known = this.#apps.get(appId);
    if (known !== undefined) return known;
    const fresh = zero();
    this.#apps.set(appId, fresh);
    return fresh;
  }

  /** Forgets apps that are gone, once nothing is in flight. */
  keepOnly(appIds: ReadonlySet<string>): void {
    for (const [appId, counters] of this.#apps)
      if (!appIds.has(appId) && counters.inFlight === 0) this.#apps.delete(appId);
  }

  snapshot(): CountersByApp {
    return Object.fromEntries(this.#apps);
  }
}

/** Adds `from` into `into`; `withInFlight` false for a worker that is gone. */
export function addCounters(into: Map<string, AppCounters>, from: CountersByApp, withInFlight: boolean): void {
  for (const [appId, counters] of Object.entries(from)) {
    const sum = into.get(appId) ?? zero();
    into.set(appId, sum);
    sum.requests += counters.requests;
    sum.failed += counters.failed;
    sum.receivedBytes += counters.receivedBytes;
    sum.sentBytes += counters.sentBytes;
    sum.durationSeconds += counters.durationSeconds;
    if (withInFlight) sum.inFlight += counters.inFlight;
    for (const [status, count] of Object.entries(counters.byStatus))
      sum.byStatus[status] = (sum.byStatus[status] ?? 0) + count;
  }
}

/** The sums in the port's shape. */
export function listCounters(sums: ReadonlyMap<string, AppCounters>): readonly RouterCounters[] {
  return [...sums].map(([appId, counters]) => ({ appId, ...counters }));
}
