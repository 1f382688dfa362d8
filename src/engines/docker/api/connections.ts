/** The connections to one daemon: kept between calls, and with the client's part of mutual TLS where they go over TCP. */
import { type ClientRequest, Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { inspect } from 'node:util';
import type { Endpoint } from './endpoint.ts';

/** More calls wait their turn: a unix socket refuses connections above its backlog. */
const atOnce = 128;
const keptFree = 8;
/** A quiet connection is asked after so long whether there is still somebody: a firewall between may have forgotten it, a machine lost power. */
const aliveAfterMs = 15_000;

/** What happened on a kept connection that the daemon had closed in the meantime: what was asked never arrived. */
const stale = new WeakSet<Error>();

export const isStale = (error: unknown): boolean => error instanceof Error && stale.has(error);

/**
 * `kept`: for calls, which end. Otherwise for what may last: each has its own connection, and there may be any number of them. The
 * TLS material stays in here, so that nobody who prints a request prints a key.
 */
export function openConnections(endpoint: Endpoint, { kept }: { readonly kept: boolean }): HttpAgent | HttpsAgent {
  const options = kept ? { keepAlive: true, maxSockets: atOnce, maxFreeSockets: keptFree } : { keepAlive: false };
  const agent = endpoint.kind === 'unix' ? new HttpAgent(options) : new HttpsAgent({ ...options, ...tlsOf(endpoint) });
  const reuse = agent.reuseSocket.bind(agent);
  agent.reuseSocket = (socket: Duplex, request: ClientRequest): void => {
    reuse(socket, request);
    // Before anybody else hears of it.
    request.prependOnceListener('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNRESET' || error.code === 'EPIPE') stale.add(error);
    });
  };
  const connect = agent.createConnection.bind(agent);
  agent.createConnection = (...words: Parameters<typeof connect>): ReturnType<typeof connect> => {
    const socket = connect(...words);
    if (socket instanceof Socket) socket.setKeepAlive(true, aliveAfterMs);
    return socket;
  };
  return hideInside(agent, 'connections');
}

/** Whoever prints it gets a word: it may hold a secret, and walking through it takes longer than a call. */
export function hideInside<T extends object>(value: T, word: string): T {
  return Object.defineProperty(value, inspect.custom, { value: () => word });
}

function tlsOf({ tls }: Extract<Endpoint, { kind: 'tcp' }>) {
  return { ca: tls.ca, cert: tls.certificate, key: tls.key };
}
