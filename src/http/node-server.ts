/** A node:http server with our limits, that hands each request and upgrade to whoever answers for it, and closes with grace. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { AskedRequest } from './asked-request.ts';
import type { Upgrades } from './streaming/upgrades.ts';

export interface Responder {
  readonly handle: (request: IncomingMessage, response: ServerResponse) => void;
  readonly upgrades?: Upgrades;
}

export interface ServerLimits {
  readonly headerBytes: number;
  readonly headerCount: number;
  readonly headersTimeoutMs: number;
  /** From the first byte of a request to the last of its body. */
  readonly requestTimeoutMs: number;
  readonly keepAliveMs: number;
}

export const defaultLimits: ServerLimits = {
  headerBytes: 16 * 1024,
  headerCount: 100,
  headersTimeoutMs: 20_000,
  requestTimeoutMs: 15 * 60_000,
  keepAliveMs: 65_000,
};

const SWEEP_MS = 25;
const PROBE_AFTER_MS = 15_000;

export class NodeServer {
  readonly #server: Server;
  /** Node forgets connections that were upgraded, but waits for them. */
  readonly #upgraded = new Set<Duplex>();
  /** The last answer on each connection that served requests: one that takes it over waits for the end of that. */
  readonly #answers = new WeakMap<Duplex, ServerResponse>();

  constructor(pick: (request: IncomingMessage) => Responder, limits: ServerLimits) {
    this.#server = createServer(
      {
        maxHeaderSize: limits.headerBytes,
        headersTimeout: limits.headersTimeoutMs,
        requestTimeout: limits.requestTimeoutMs,
        keepAliveTimeout: limits.keepAliveMs,
        // A client that vanished during a stream is noticed by probes, not by silence.
        keepAlive: true,
        keepAliveInitialDelay: PROBE_AFTER_MS,
        IncomingMessage: AskedRequest,
        // Who takes no upgrade gets the request as an ordinary one.
        shouldUpgradeCallback: (request) => pick(request).upgrades?.wants(request, request.wantsUpgrade) === true,
      },
      (request, response) => {
        this.#answers.set(request.socket, response);
        pick(request).handle(request, response);
      },
    );
    this.#server.maxHeadersCount = limits.headerCount;
    const takeOver = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
      this.#upgraded.add(socket);
      socket.once('close', () => this.#upgraded.delete(socket));
      const { upgrades } = pick(request);
      if (upgrades === undefined) return void socket.destroy();
      const before = this.#answers.get(socket);
      if (before === undefined || before.closed) upgrades.take(request, socket, head);
      else before.once('close', () => upgrades.take(request, socket, head));
    };
    this.#server.on('upgrade', takeOver);
    this.#server.on('connect', takeOver);
  }

  /** Resolves with where it listens; port 0 takes any that is free. Rejects when the port is taken. */
  listen(port: number, host: string): Promise<{ readonly host: string; readonly port: number }> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ port, host }, () => {
        this.#server.off('error', reject);
        const address = this.#server.address() as AddressInfo;
        resolve({ host: address.address, port: address.port });
      });
    });
  }

  /** Takes no more connections, waits for answers under way, and cuts what is left after `graceMs`. */
  async close(graceMs: number): Promise<void> {
    if (!this.#server.listening) return;
    // A connection that becomes idle after its last answer would otherwise stay for its keep-alive time.
    const sweep = setInterval(() => this.#server.closeIdleConnections(), SWEEP_MS);
    const end = setTimeout(() => {
      this.#server.closeAllConnections();
      for (const socket of this.#upgraded) socket.destroy();
    }, graceMs);
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
    clearInterval(sweep);
    clearTimeout(end);
  }
}
