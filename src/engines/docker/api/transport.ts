/**
 * Requests to one daemon over docker-modem: on kept connections for calls, on their own for what may last. Gives answers of any status as they
 * come; what they mean is docker-api.ts's.
 */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import DockerModem from 'docker-modem';
import { invalid } from '../../../core/errors.ts';
import { hideInside, isStale, openConnections } from './connections.ts';
import type { Endpoint } from './endpoint.ts';

export type Query = Readonly<Record<string, string | number | boolean | object | undefined>>;

export interface CallOptions {
  readonly query?: Query;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Sent as it is, instead of `body`. A stream is destroyed when the call ends before it does. */
  readonly content?: { readonly type: string; readonly bytes: Readable | Buffer };
  /** From the asking to the whole answer of `call`, to its head for the others. Default 60 s; 0: none. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  readonly headers?: Readonly<Record<string, string>>;
}

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE' | 'HEAD';

export interface Asked {
  readonly method: Method;
  readonly path: string;
  readonly hijack?: boolean;
  /** On a connection of its own, for what may last. */
  readonly apart?: boolean;
}

/** The transport hands every answer over as it came: what the daemon says with a refusal is read here. */
const everyStatus = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [index + 100, true]));

export class Transport {
  readonly #agents: readonly ReturnType<typeof openConnections>[];
  readonly #calls: DockerModem;
  readonly #lasting: DockerModem;
  #closings = 0;

  /** Connects to nothing yet. */
  constructor(endpoint: Endpoint) {
    const kept = openConnections(endpoint, { kept: true });
    const single = openConnections(endpoint, { kept: false });
    this.#agents = [kept, single];
    this.#calls = modemOf(endpoint, kept);
    this.#lasting = modemOf(endpoint, single);
  }

  /** Ends what is under way. */
  close(): void {
    this.#closings += 1;
    for (const agent of this.#agents) agent.destroy();
  }

  /** The head of an answer, or the connection itself where the daemon switched protocols. */
  async ask(asked: Asked, options: CallOptions, signal: AbortSignal): Promise<IncomingMessage | Socket> {
    const closings = this.#closings;
    for (;;) {
      try {
        return await this.#dial(asked, options, signal);
      } catch (error) {
        // We ended it ourselves: it may have arrived. And a stream is gone with the connection that it was sent on.
        const isOver = closings !== this.#closings || signal.aborted;
        if (isOver || !isStale(error) || options.content !== undefined) throw error;
      }
    }
  }

  #dial(asked: Asked, options: CallOptions, signal: AbortSignal): Promise<IncomingMessage | Socket> {
    const { method, path, hijack = false, apart = false } = asked;
    const dialled: DockerModem.DialOptions = {
      ...{ method, hijack, isStream: true, statusCodes: everyStatus, abortSignal: signal },
      // The mark is the transport's sign that a query follows.
      path: `${path}?`,
      options: { _query: wordsOf(options.query), _body: options.body ?? {} },
      allowEmpty: options.body !== undefined,
      ...fileOf(asked, options),
      headers: hideInside({ ...options.headers, ...typeOf(options) }, 'headers'),
    };
    return new Promise((resolve, reject) => {
      (apart ? this.#lasting : this.#calls).dial(dialled, (error, answer) => {
        if (error !== null) return reject(error);
        // A connection that breaks in the middle is told to whoever reads.
        const found = answer as IncomingMessage | Socket;
        found.on('error', () => {});
        resolve(found);
      });
    });
  }
}

function modemOf(endpoint: Endpoint, agent: ReturnType<typeof openConnections>): DockerModem {
  const nowhere = { socketPath: undefined, host: undefined, port: undefined, timeout: undefined };
  const at =
    endpoint.kind === 'unix'
      ? { socketPath: endpoint.path, protocol: 'http' as const }
      : { host: endpoint.host, port: endpoint.port, protocol: 'https' as const };
  const secrets = { ca: undefined, cert: undefined, key: undefined };
  const unsaid = { pathPrefix: '/', version: undefined, headers: {} };
  try {
    // Everything is said: what is not, the transport would take from the environment (apocas/docker-modem#114).
    return new DockerModem({ ...nowhere, ...secrets, ...unsaid, ...at, agent });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw invalid('dockerHost', `the DOCKER_… variables of this environment are in the way: ${reason}`);
  }
}

function wordsOf(query: Query = {}): Record<string, string> {
  const said = Object.entries(query).filter(([, value]) => value !== undefined);
  return Object.fromEntries(
    said.map(([name, value]) => [name, typeof value === 'object' ? JSON.stringify(value) : String(value)]),
  );
}

function fileOf({ hijack = false, method }: Asked, { body, content }: CallOptions): { file?: Readable | Buffer } {
  if (content !== undefined) return { file: content.bytes };
  // With no body at all a hijacked request would be sent in chunks, and the mark of their end could arrive as input.
  if (hijack && body === undefined) return { file: Buffer.alloc(0) };
  // The transport knows JSON for POST only.
  if (body !== undefined && method !== 'POST') return { file: Buffer.from(JSON.stringify(body)) };
  return {};
}

function typeOf({ body, content }: CallOptions): Record<string, string> {
  if (content !== undefined) return { 'Content-Type': content.type };
  return body === undefined ? {} : { 'Content-Type': 'application/json' };
}
