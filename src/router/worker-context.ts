/** What every exchange of a worker shares: the present table, limits, clocks, and where its accounts go. */
import type { BlockList } from 'node:net';
import type { Clock, Ids } from '../core/ports/clock.ts';
import type { RoutingTable } from '../core/ports/router.ts';
import { type AccessEntry, accessLine } from './access-line.ts';
import type { AccessLog } from './access-log.ts';
import { Balancer } from './balancer.ts';
import { Counters } from './counters.ts';
import type { RouterLimits } from './limits.ts';
import { indexTable, type RouteIndex } from './table.ts';

export interface WorkerContextOptions {
  readonly limits: RouterLimits;
  readonly trusted: BlockList | null;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly accessLog: AccessLog;
}

export class WorkerContext {
  readonly limits: RouterLimits;
  readonly trusted: BlockList | null;
  readonly ids: Ids;
  readonly counters = new Counters();
  readonly balancer: Balancer;
  index: RouteIndex = indexTable({ version: -1, routes: [], backends: [], certificates: [] });
  /** Monotonic milliseconds as of the last tick. */
  nowMs: number;
  stopping = false;
  readonly #clock: Clock;
  readonly #accessLog: AccessLog;

  constructor(options: WorkerContextOptions) {
    this.limits = options.limits;
    this.trusted = options.trusted;
    this.ids = options.ids;
    this.balancer = new Balancer(options.limits);
    this.#clock = options.clock;
    this.#accessLog = options.accessLog;
    this.nowMs = options.clock.monotonicMs();
  }

  /** Reads the clock. */
  tick(): number {
    this.nowMs = this.#clock.monotonicMs();
    return this.nowMs;
  }

  /** Routes by a table from now on. */
  use(table: RoutingTable): void {
    this.index = indexTable(table);
    this.balancer.update(this.index);
    this.counters.keepOnly(new Set(table.backends.map((backend) => backend.appId)));
  }

  /** Counts a request that ended and writes its access line. */
  account(appId: string, receivedBytes: number, timed: boolean, entry: AccessEntry): void {
    const counters = this.counters.of(appId);
    counters.inFlight--;
    counters.requests++;
    counters.byStatus[entry.status] = (counters.byStatus[entry.status] ?? 0) + 1;
    if (entry.status >= 500 || (entry.failure !== null && entry.status < 400)) counters.failed++;
    counters.receivedBytes += receivedBytes;
    counters.sentBytes += entry.sentBytes;
    if (timed) counters.durationSeconds += entry.totalMs / 1000;
    this.#accessLog.write(appId, entry.target?.processType ?? '', entry.target?.id ?? '', accessLine(entry));
  }
}
