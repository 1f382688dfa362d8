/**
 * One dispatcher for a dialect's upgrades: WebSockets and raw `Upgrade` streams. A handler does its own authentication before it answers:
 * an upgrade passes no hook of Fastify.
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Logger } from '../../lib/logger.ts';

export interface UpgradeRequest {
  readonly raw: IncomingMessage;
  readonly url: URL;
  /** The named groups of the route's pattern, decoded. */
  readonly params: Readonly<Record<string, string>>;
}

export interface WebSocketRoute {
  readonly path: RegExp;
  /** Checks the caller before the handshake; a throw refuses with the status that `statusOf` gives. */
  readonly open: (request: UpgradeRequest) => Promise<(socket: WebSocket) => void>;
}

export interface RawRoute {
  readonly path: RegExp;
  readonly methods: readonly string[];
  /** Owns the socket from here; `head` is what arrived with the request already. Must send the status line itself. */
  readonly take: (request: UpgradeRequest, socket: Duplex, head: Buffer) => Promise<void>;
}

export interface UpgradesOptions {
  readonly logger: Logger;
  readonly webSockets?: readonly WebSocketRoute[];
  readonly raw?: readonly RawRoute[];
  /** The HTTP status for what a route threw. */
  readonly statusOf: (error: unknown) => number;
  /** A larger message closes the socket with 1009. Default 1 MiB. */
  readonly maxMessageBytes?: number;
}

export class Upgrades {
  readonly #options: UpgradesOptions;
  readonly #server: WebSocketServer;
  constructor(options: UpgradesOptions) {
    this.#options = options;
    this.#server = new WebSocketServer({ noServer: true, maxPayload: options.maxMessageBytes ?? 1024 * 1024 });
  }

  /** Whether a route takes this request; others are answered as ordinary requests. */
  wants(request: IncomingMessage): boolean {
    return this.#find(request) !== null;
  }

  take(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    const found = this.#find(request);
    if (found === null) {
      refuse(socket, 404);
      return;
    }
    found.run(socket, head).catch((error: unknown) => {
      const status = this.#options.statusOf(error);
      if (status >= 500) this.#options.logger.error({ err: error }, 'an upgrade failed');
      refuse(socket, status);
    });
  }

  #find(raw: IncomingMessage): { run(socket: Duplex, head: Buffer): Promise<void> } | null {
    const url = URL.parse(raw.url ?? '/', 'http://localhost');
    if (url === null) return null;
    const isWebSocket = raw.headers.upgrade?.toLowerCase() === 'websocket' && raw.method === 'GET';
    const routes = isWebSocket ? (this.#options.webSockets ?? []) : [];
    for (const route of routes) {
      const request = match(route.path, raw, url);
      if (request !== null) return { run: (socket, head) => this.#openWebSocket(route, request, socket, head) };
    }
    for (const route of this.#options.raw ?? []) {
      const request = route.methods.includes(raw.method ?? '') ? match(route.path, raw, url) : null;
      if (request !== null) return { run: (socket, head) => route.take(request, socket, head) };
    }
    return null;
  }

  async #openWebSocket(route: WebSocketRoute, request: UpgradeRequest, socket: Duplex, head: Buffer): Promise<void> {
    const run = await route.open(request);
    if (socket.destroyed) return;
    this.#server.handleUpgrade(request.raw, socket, head, (webSocket) => {
      webSocket.on('error', () => webSocket.terminate());
      run(webSocket);
    });
  }
}

function match(path: RegExp, raw: IncomingMessage, url: URL): UpgradeRequest | null {
  const groups = path.exec(url.pathname);
  if (groups === null) return null;
  try {
    const params = Object.entries(groups.groups ?? {}).map(([name, value]) => [name, decodeURIComponent(value ?? '')]);
    return { raw, url, params: Object.fromEntries(params) };
  } catch {
    // A malformed escape matches nothing.
    return null;
  }
}

function refuse(socket: Duplex, status: number): void {
  if (!socket.writable) return void socket.destroy();
  socket.end(`HTTP/1.1 ${status} Refused\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
}
