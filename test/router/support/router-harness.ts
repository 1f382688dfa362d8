/** A real router with real workers on loopback, and small real backends, for the router's tests. */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { LogLine } from '../../../src/core/ports/log-store.ts';
import type { Route, RouteBackend, Router, RouteTarget, RoutingTable } from '../../../src/core/ports/router.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { silentLogger } from '../../../src/lib/logger.ts';
import { createRouterClient } from '../../../src/router/router-client.ts';
import { type RunningRouter, type RunRouterOptions, runRouter } from '../../../src/router/run-router.ts';

export interface Harness {
  readonly running: RunningRouter;
  readonly router: Router;
  readonly port: number;
  readonly dataFolder: string;
  /** Router lines of an app so far. */
  lines(appId: string): readonly LogLine[];
}

/** Starts a router that is stopped, and its folder removed, when the test ends. */
export async function startRouter(t: TestContext, options: Partial<RunRouterOptions> = {}): Promise<Harness> {
  const dataFolder = options.dataFolder ?? (await temporaryFolder(t));
  const socketPath = join(dataFolder, 'run', 'router.sock');
  const streams = new Map<string, LogLine[]>();
  const running = await runRouter({
    dataFolder,
    socketPath,
    httpPort: 0,
    httpsPort: null,
    workers: 1,
    // One for all tests: the code is the same.
    compileCache: join(tmpdir(), 'berth-router-test-code'),
    logger: silentLogger,
    clock: systemClock,
    logAppender: {
      append: async (stream, lines) => {
        streams.set(stream, [...(streams.get(stream) ?? []), ...lines]);
      },
    },
    ...options,
    limits: { stopGraceMs: 500, ...options.limits },
  });
  const router = createRouterClient({ socketPath });
  t.after(async () => {
    router.close();
    await running.close();
  });
  return { running, router, port: running.httpPort, dataFolder, lines: (appId) => streams.get(`apps/${appId}`) ?? [] };
}

export async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'berth-router-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A node:http backend; stopped when the test ends. */
export async function startBackend(
  t: TestContext,
  listener: RequestListener,
): Promise<{ readonly server: Server; readonly port: number }> {
  const server = createServer(listener);
  const port = await listen(server);
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { server, port };
}

/** Listens on a free loopback port. */
export async function listen(server: {
  listen(port: number, host: string, done: () => void): unknown;
  address(): unknown;
}): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

export function target(id: string, port: number, processType = 'web'): RouteTarget {
  return { id, host: '127.0.0.1', port, processType };
}

/** A backend of the app of the same id, unless another is given. */
export function routeBackend(
  id: string,
  targets: readonly RouteTarget[],
  mode: RouteBackend['mode'] = 'serving',
  appId = id,
): RouteBackend {
  return { id, appId, mode, targets };
}

export function route(host: string, backendId: string, pathPrefix = '/', replacePrefix: string | null = null): Route {
  return { host, pathPrefix, replacePrefix, backend: backendId };
}

/** A table for one app `a` at host `a.test`. */
export function oneApp(version: number, ...ports: readonly number[]): RoutingTable {
  const targets = ports.map((port) => target(`i${port}`, port));
  return { version, routes: [route('a.test', 'a')], backends: [routeBackend('a', targets)], certificates: [] };
}

/** Sends bytes over a raw connection and gives all that comes back until the other side closes, or `until` is true of it. */
export function rawExchange(
  port: number,
  bytes: string | Buffer,
  until: (soFar: string) => boolean = () => false,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = rawSocket(port);
    let received = '';
    const done = (): void => {
      socket.destroy();
      resolve(received);
    };
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => {
      received += text;
      if (until(received)) done();
    });
    socket.on('close', done);
    socket.on('error', (error) => (received === '' ? reject(error) : done()));
    socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  });
}

export function rawSocket(port: number): Socket {
  return connect({ port, host: '127.0.0.1', noDelay: true });
}

/** Resolves when the condition holds, asked every few milliseconds; rejects after `timeoutMs`. */
export async function until(condition: () => boolean | Promise<boolean>, timeoutMs = 60_000): Promise<void> {
  const startedMs = performance.now();
  while (!(await condition())) {
    if (performance.now() - startedMs > timeoutMs) throw new Error('the condition did not come true in time');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
