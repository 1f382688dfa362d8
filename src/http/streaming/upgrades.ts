/**
 * One dispatcher for what takes a connection over: WebSockets, raw streams by `Upgrade`, by `CONNECT`, or by a plain request. A handler does
 * its own authentication before it answers: nothing here passes a hook of Fastify.
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Logger } from '../../lib/logger.ts';
import { endSoftly } from './end-softly.ts';

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
  /** `CONNECT` comes with a path as its target: `CONNECT /v1/… HTTP/1.1`. */
  readonly methods: readonly string[];
  /** Takes also requests without an `Upgrade` header: whatever follows their head is theirs, and the connection serves no other request. */
  readonly withoutUpgrade?: boolean;
  /**
   * Owns the socket from here; `head` is what arrived after the request's head already: the beginning of its body, if it has one (see
   * `takeBody`), then of the stream. Must send the status line itself. The client may end its side and go on reading.
   */
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

const GOING_AWAY = 1001;

export class Upgrades {
  readonly #options: UpgradesOptions;
  readonly #server: WebSocketServer;
  /** Methods of which any request may be taken: others are let through without a look at their path. */
  readonly #plainMethods: ReadonlySet<string>;
  constructor(options: UpgradesOptions) {
    this.#options = options;
    this.#server = new WebSocketServer({ noServer: true, maxPayload: options.maxMessageBytes ?? 1024 * 1024 });
    const plain = (options.raw ?? []).filter(({ withoutUpgrade }) => withoutUpgrade === true);
    this.#plainMethods = new Set(plain.flatMap(({ methods }) => methods));
  }

  /** Whether a route takes this request, with or without an `Upgrade` header; others are answered as ordinary requests. */
  wants(request: IncomingMessage, hasUpgrade = true): boolean {
    if (!hasUpgrade && !this.#plainMethods.has(request.method ?? '')) return false;
    return this.#find(request, hasUpgrade) !== null;
  }

  take(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    // What it wants was asked before, except for CONNECT, which never is an ordinary request.
    const found = this.#find(request, true);
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

  /** Tells every WebSocket that the server goes away. */
  close(): void {
    for (const socket of this.#server.clients) socket.close(GOING_AWAY);
  }

  #find(raw: IncomingMessage, hasUpgrade: boolean): { run(socket: Duplex, head: Buffer): Promise<void> } | null {
    const url = URL.parse(raw.url ?? '/', 'http://localhost');
    if (url === null) return null;
    const isWebSocket = hasUpgrade && raw.headers.upgrade?.toLowerCase() === 'websocket' && raw.method === 'GET';
    const routes = isWebSocket ? (this.#options.webSockets ?? []) : [];
    for (const route of routes) {
      const request = match(route.path, raw, url);
      if (request !== null) return { run: (socket, head) => this.#openWebSocket(route, request, socket, head) };
    }
    for (const route of this.#options.raw ?? []) {
      if (!route.methods.includes(raw.method ?? '') || !(hasUpgrade || route.withoutUpgrade === true)) continue;
      const request = match(route.path, raw, url);
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
  endSoftly(socket, `HTTP/1.1 ${status} Refused\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
}
