/**
 * Keeps the wanted number of workers alive on the same listening sockets, gives them the table, and adds up what they say. The primary holds the
 * sockets open itself and accepts nothing, so that no worker's death closes them: connections wait in the kernel for the next worker.
 */
import type { Readable } from 'node:stream';
import type { RouterCounters, RoutingTable } from '../core/ports/router.ts';
import type { Logger } from '../lib/logger.ts';
import { type AppCounters, addCounters, listCounters } from './counters.ts';
import type { RouterLimits } from './limits.ts';
import { WorkerProcess, warmWorkerCode } from './worker-process.ts';

export interface WorkerPoolOptions {
  readonly count: number;
  readonly http: number;
  readonly https: number | null;
  readonly compileCache: string;
  readonly limits: RouterLimits;
  readonly trustedProxies: readonly string[];
  readonly logger: Logger;
  readonly table: RoutingTable | null;
  onAccessLog(pipe: Readable): void;
}

const answerMs = 10_000;
const longLivedMs = 5_000;
const maxRestartDelayMs = 5_000;

export class WorkerPool {
  readonly #options: WorkerPoolOptions;
  readonly #workers = new Set<WorkerProcess>();
  readonly #past = new Map<string, AppCounters>();
  #table: RoutingTable | null;
  #closing = false;
  #quickDeaths = 0;
  #whenChanged: (() => void)[] = [];

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
    this.#table = options.table;
  }

  /** Process ids of the workers alive. */
  get pids(): readonly number[] {
    return [...this.#workers].flatMap((worker) => (worker.pid === undefined ? [] : [worker.pid]));
  }

  /** Starts all workers; resolves when every one serves, rejects when the first of them cannot. */
  async start(): Promise<void> {
    await warmWorkerCode(this.#options.compileCache);
    await Promise.all(Array.from({ length: this.#options.count }, () => this.#startOne()));
  }

  /** Resolves when every worker routes by the table. One that does not answer is replaced: its successor starts with the table. */
  async apply(table: RoutingTable): Promise<void> {
    this.#table = table;
    await Promise.all(
      [...this.#workers].map(async (worker) => {
        const answer = await worker.ask({ kind: 'table', table }, answerMs);
        if (answer === null && !worker.gone) worker.kill();
      }),
    );
  }

  /** How many requests to these targets are left in flight after the time, over all workers. */
  async drain(targetIds: readonly string[], timeoutMs: number): Promise<number> {
    const left = await Promise.all(
      [...this.#workers].map(async (worker) => {
        const answer = await worker.ask({ kind: 'drain', targetIds, timeoutMs }, timeoutMs + answerMs);
        return answer?.kind === 'drained' ? answer.leftInFlight : 0;
      }),
    );
    return left.reduce((sum, each) => sum + each, 0);
  }

  async counters(): Promise<readonly RouterCounters[]> {
    await Promise.all([...this.#workers].map((worker) => worker.ask({ kind: 'counters' }, answerMs)));
    const sums = new Map<string, AppCounters>();
    addCounters(sums, Object.fromEntries(this.#past), false);
    for (const worker of this.#workers) addCounters(sums, worker.counters, true);
    return listCounters(sums);
  }

  /** Lets the workers finish what is in flight, and kills those that take longer than their grace. */
  async close(): Promise<void> {
    this.#closing = true;
    for (const worker of this.#workers) worker.stop();
    const timer = setTimeout(() => {
      for (const worker of this.#workers) worker.kill();
    }, this.#options.limits.stopGraceMs + 2_000);
    while (this.#workers.size > 0) await new Promise<void>((resolve) => this.#whenChanged.push(resolve));
    clearTimeout(timer);
  }

  #startOne(): Promise<void> {
    const { http, https, compileCache, limits, trustedProxies, logger } = this.#options;
    const startedMs = performance.now();
    return new Promise((resolve, reject) => {
      const worker = new WorkerProcess({
        http,
        https,
        compileCache,
        init: { kind: 'init', limits, trustedProxies, table: this.#table, secure: https !== null },
        onReady: () => {
          logger.debug({ pid: worker.pid }, 'router worker serves');
          resolve();
        },
        onExit: (reason) => {
          this.#onExit(worker, reason, performance.now() - startedMs);
          reject(new Error(`a router worker ended: ${reason}`));
        },
        onBadCertificate: (hosts, reason) => logger.warn({ hosts, reason }, 'a certificate cannot be used'),
        onAccessLog: this.#options.onAccessLog,
      });
      this.#workers.add(worker);
    });
  }

  #onExit(worker: WorkerProcess, reason: string, livedMs: number): void {
    this.#workers.delete(worker);
    addCounters(this.#past, worker.counters, false);
    for (const tell of this.#whenChanged.splice(0)) tell();
    if (this.#closing) return;
    this.#options.logger.warn({ pid: worker.pid, reason }, 'a router worker ended; starting another');
    this.#quickDeaths = livedMs > longLivedMs ? 0 : this.#quickDeaths + 1;
    // The first replacement comes at once; one death after another means that something is wrong that haste will not mend.
    const delayMs = this.#quickDeaths < 3 ? 0 : Math.min(maxRestartDelayMs, 100 * 2 ** (this.#quickDeaths - 3));
    setTimeout(() => {
      if (!this.#closing) this.#startOne().catch(() => {});
    }, delayMs);
  }
}
