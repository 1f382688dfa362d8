/** A node:http server with our limits, that hands each request and upgrade to whoever answers for it, and closes with grace. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
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

export class NodeServer {
  readonly #server: Server;
  /** Node forgets connections that were upgraded, but waits for them. */
  readonly #upgraded = new Set<Duplex>();

  constructor(pick: (request: IncomingMessage) => Responder, limits: ServerLimits) {
    this.#server = createServer(
      {
        maxHeaderSize: limits.headerBytes,
        headersTimeout: limits.headersTimeoutMs,
        requestTimeout: limits.requestTimeoutMs,
        keepAliveTimeout: limits.keepAliveMs,
        // Who takes no upgrade gets the request as an ordinary one.
        shouldUpgradeCallback: (request) => pick(request).upgrades?.wants(request) === true,
      },
      (request, response) => pick(request).handle(request, response),
    );
    this.#server.maxHeadersCount = limits.headerCount;
    this.#server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      this.#upgraded.add(socket);
      socket.once('close', () => this.#upgraded.delete(socket));
      const { upgrades } = pick(request);
      if (upgrades === undefined) socket.destroy();
      else upgrades.take(request, socket, head);
    });
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
