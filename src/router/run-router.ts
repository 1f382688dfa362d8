/** The router process: listening sockets, workers, the table on disk, the control socket. Called by the composition root. */
import { lookup } from 'node:dns/promises';
import { BoundSocket, isIP } from 'node:net';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Clock } from '../core/ports/clock.ts';
import type { LogStore } from '../core/ports/log-store.ts';
import type { Router, RoutingTable } from '../core/ports/router.ts';
import type { Logger } from '../lib/logger.ts';
import { serveControl } from './control-server.ts';
import { defaultLimits, type RouterLimits } from './limits.ts';
import { LogSink } from './log-sink.ts';
import { loadTable, saveTable, tablePath } from './table-file.ts';
import { WorkerPool } from './worker-pool.ts';

export interface RunRouterOptions {
  readonly dataFolder: string;
  readonly socketPath: string;
  /** Address or name to listen on; 127.0.0.1 when not given. */
  readonly host?: string;
  /** 0: a free port. */
  readonly httpPort: number;
  /** Null: no HTTPS. */
  readonly httpsPort: number | null;
  /** Worker processes; as many as there are CPUs, at most two, when not given. */
  readonly workers?: number;
  readonly limits?: Partial<RouterLimits>;
  /** Addresses and networks whose forwarded headers are believed; none when not given. */
  readonly trustedProxies?: readonly string[];
  /** Folder for the workers' compiled code; `<data>/router/compiled` when not given. */
  readonly compileCache?: string;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Gets the access lines, in the stream `apps/<app id>`. */
  readonly logAppender: Pick<LogStore, 'append'>;
}

export interface RunningRouter {
  readonly httpPort: number;
  readonly httpsPort: number | null;
  /** Process ids of the workers alive now. */
  workerPids(): readonly number[];
  /** Finishes what is in flight within the grace, then stops. */
  close(): Promise<void>;
}

const bindAttempts = 20;
const bindPauseMs = 100;

/** Serves by the saved table at once; resolves when all workers accept connections and the control socket is open. */
export async function runRouter(options: RunRouterOptions): Promise<RunningRouter> {
  const { logger, dataFolder, host = '127.0.0.1' } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const file = tablePath(dataFolder);
  const saved = await loadTable(file).catch((error: unknown) => {
    logger.error({ err: error }, 'the saved routing table cannot be read; waiting for a new one');
    return null;
  });
  const http = await bind(host, options.httpPort);
  const https = options.httpsPort === null ? null : await bind(host, options.httpsPort);
  const sink = new LogSink(options.logAppender, options.clock, logger);
  const pool = new WorkerPool({
    count: options.workers ?? Math.min(2, availableParallelism()),
    http: http.fd(),
    https: https?.fd() ?? null,
    compileCache: options.compileCache ?? join(dataFolder, 'router', 'compiled'),
    limits,
    trustedProxies: options.trustedProxies ?? [],
    logger,
    table: saved,
    onAccessLog: (pipe) => sink.follow(pipe),
  });
  const ports = { httpPort: portOf(http), httpsPort: https === null ? null : portOf(https) };
  const closePool = async (): Promise<void> => {
    await pool.close();
    await sink.flush();
    http.close();
    https?.close();
  };
  try {
    await pool.start();
    const control = await serveControl(options.socketPath, controlled(pool, file, saved), logger);
    logger.info({ ...ports, workers: pool.pids.length, tableVersion: saved?.version ?? null }, 'router serves');
    return {
      ...ports,
      workerPids: () => pool.pids,
      close: async () => {
        await control.close();
        await closePool();
      },
    };
  } catch (error) {
    await closePool();
    throw error;
  }
}

/** The Router port over the pool. Tables go one after another; older ones change nothing. */
function controlled(pool: WorkerPool, file: string, saved: RoutingTable | null): Router {
  let version = saved?.version ?? -1;
  let turn = Promise.resolve();
  async function change(table: RoutingTable): Promise<void> {
    if (table.version < version) return;
    await saveTable(file, table);
    version = table.version;
    await pool.apply(table);
  }
  return {
    apply(table) {
      const applied = turn.then(() => change(table));
      turn = applied.catch(() => {});
      return applied;
    },
    drain: async (targetIds, timeoutMs) => ({ leftInFlight: await pool.drain(targetIds, timeoutMs) }),
    counters: () => pool.counters(),
  };
}

/** Binds without listening: workers do that. Waits a little for a port that a router just stopped may still hold. */
async function bind(name: string, port: number): Promise<BoundSocket> {
  const host = isIP(name) === 0 ? (await lookup(name)).address : name;
  for (let attempt = 1; ; attempt++) {
    try {
      return new BoundSocket({ host, port });
    } catch (error) {
      const inUse = (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
      if (!inUse || attempt === bindAttempts) throw error;
    }
    await wait(bindPauseMs);
  }
}

function portOf(socket: BoundSocket): number {
  const address = socket.address();
  if (typeof address === 'string') throw new TypeError('not a TCP socket');
  return address.port;
}
