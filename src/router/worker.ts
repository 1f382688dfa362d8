/** One worker: serves clients on listening sockets that it shares with the other workers, by the table it was given last. */
import { createServer, type Server, type Socket } from 'node:net';
import type { Clock, Ids } from '../core/ports/clock.ts';
import type { RoutingTable } from '../core/ports/router.ts';
import type { AccessLog } from './access-log.ts';
import { ClientConnection, type ClientHost } from './client-connection.ts';
import { errorPage } from './error-page.ts';
import { Exchange } from './exchange.ts';
import { refused } from './failures.ts';
import { trustedProxies } from './forwarded.ts';
import type { RouterLimits } from './limits.ts';
import type { RequestHead, RequestRefusal } from './request-head.ts';
import { TlsTerminator } from './tls.ts';
import { WorkerContext } from './worker-context.ts';

export interface WorkerOptions {
  readonly limits: RouterLimits;
  readonly trustedProxies: readonly string[];
  readonly clock: Clock;
  readonly ids: Ids;
  readonly accessLog: AccessLog;
  onBadCertificate(hosts: readonly string[], error: unknown): void;
}

export class Worker implements ClientHost {
  readonly context: WorkerContext;
  readonly #tls: TlsTerminator;
  readonly #clients = new Set<ClientConnection>();
  readonly #servers: Server[] = [];
  readonly #sweeper: NodeJS.Timeout;
  #whenEmpty: (() => void) | null = null;

  constructor(options: WorkerOptions) {
    const { limits } = options;
    const trusted = options.trustedProxies.length === 0 ? null : trustedProxies(options.trustedProxies);
    this.context = new WorkerContext({ ...options, trusted });
    this.#tls = new TlsTerminator((socket) => this.#accept(socket, true), options.onBadCertificate);
    this.#sweeper = setInterval(() => this.#sweep(), sweepMs(limits));
  }

  get limits(): RouterLimits {
    return this.context.limits;
  }
  get trusted(): WorkerContext['trusted'] {
    return this.context.trusted;
  }
  get nowMs(): number {
    return this.context.nowMs;
  }
  get stopping(): boolean {
    return this.context.stopping;
  }

  /** Routes by this table once it resolves. */
  async use(table: RoutingTable): Promise<void> {
    await this.#tls.use(table.certificates);
    this.context.use(table);
  }

  /** Accepts on an inherited listening socket; rejects when that cannot be. */
  listen(fd: number, secure: boolean): Promise<void> {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      if (secure) this.#tls.accept(socket);
      else this.#accept(socket, false);
    });
    server.maxConnections = this.limits.connections;
    this.#servers.push(server);
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen({ fd, backlog: 4096 }, resolve);
    });
  }

  /** Takes no more connections, lets requests in flight end within the grace, then closes what is left. */
  async stop(): Promise<void> {
    if (this.context.stopping) return;
    this.context.stopping = true;
    for (const server of this.#servers) server.close();
    for (const client of this.#clients) client.closeIfIdle();
    if (this.#clients.size > 0)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, this.limits.stopGraceMs);
        this.#whenEmpty = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    clearInterval(this.#sweeper);
    for (const client of this.#clients) client.destroy();
    this.context.balancer.close();
  }

  onRequest(client: ClientConnection, head: RequestHead): void {
    const exchange = new Exchange(this.context, client, head);
    client.begin(exchange);
    exchange.start();
  }

  onRefusal(client: ClientConnection, refusal: RequestRefusal): void {
    const page = errorPage(refused(refusal.status, refusal.reason), null, this.context.ids.id(), false);
    client.writeHead(page.head, page.body);
    client.finish(false);
  }

  onClosed(client: ClientConnection): void {
    this.#clients.delete(client);
    if (this.#clients.size === 0) this.#whenEmpty?.();
  }

  #accept(socket: Socket, secure: boolean): void {
    this.context.tick();
    const client = new ClientConnection(socket, secure, this);
    this.#clients.add(client);
    if (this.stopping) client.closeIfIdle();
  }

  #sweep(): void {
    const nowMs = this.context.tick();
    for (const client of this.#clients) client.sweep(nowMs);
    this.context.balancer.sweep(nowMs);
  }
}

/** Often enough that a time limit is kept within a quarter of it, seldom enough to cost nothing. */
function sweepMs(limits: RouterLimits): number {
  const shortest = Math.min(
    limits.headTimeoutMs,
    limits.keepAliveMs,
    limits.responseTimeoutMs,
    limits.silenceMs,
    limits.idleTimeoutMs,
    limits.tunnelIdleMs,
    limits.upstreamIdleMs,
  );
  return Math.min(1000, Math.max(20, Math.floor(shortest / 4)));
}
