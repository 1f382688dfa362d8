/**
 * The Docker Engine API of one daemon: JSON calls, streams and hijacked connections, under the version agreed with it. Every call has a
 * time limit. The transport is docker-modem; ours are the limits, what an error means, and trying again on a kept connection that the
 * daemon had closed. Knows nothing of Berth.
 */
import type { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { json, text } from 'node:stream/consumers';
import DockerModem from 'docker-modem';
import { BerthError, invalid } from '../../../core/errors.ts';
import { hideInside, isStale, openConnections } from './connections.ts';
import { DockerError } from './docker-error.ts';
import type { Endpoint } from './endpoint.ts';
import { type TimeLimit, timeLimit } from './time-limit.ts';
import { troubleOf } from './trouble.ts';
import { agreeOnVersion } from './version.ts';

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

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE' | 'HEAD';

interface Asked {
  readonly method: Method;
  readonly path: string;
  readonly hijack?: boolean;
  /** On a connection that is not kept, for what may last. */
  readonly apart?: boolean;
}

const defaultTimeoutMs = 60_000;
/** The transport hands every answer over as it came: what the daemon says with a refusal is read here. */
const everyStatus = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [index + 100, true]));

export class DockerApi {
  readonly #endpoint: Endpoint;
  readonly #agents: readonly ReturnType<typeof openConnections>[];
  readonly #calls: DockerModem;
  readonly #lasting: DockerModem;
  #version: Promise<string> | null = null;

  /** Connects to nothing yet. */
  constructor(endpoint: Endpoint) {
    this.#endpoint = endpoint;
    const kept = openConnections(endpoint, { kept: true });
    const single = openConnections(endpoint, { kept: false });
    this.#agents = [kept, single];
    this.#calls = modemOf(endpoint, kept);
    this.#lasting = modemOf(endpoint, single);
  }

  /** Ends what is under way. */
  close(): void {
    for (const agent of this.#agents) agent.destroy();
  }

  /** The version spoken, e.g. `1.41`. Rejects with `unavailable` when the daemon is not there, or not one that Berth can talk to. */
  version(): Promise<string> {
    this.#version ??= this.#negotiate().catch((error: unknown) => {
      this.#version = null;
      throw error;
    });
    return this.#version;
  }

  /** The answer as JSON; undefined when it has no body. Rejects with DockerError for any status from 300 on. */
  async call<T>(method: Method, path: string, options: CallOptions = {}): Promise<T> {
    const asked = { method, path: await this.#versioned(path), apart: options.timeoutMs === 0 };
    return this.#limited(options, async (limit) => {
      const body = await text(answerOf(await this.#ask(asked, options, limit)));
      return (body === '' ? undefined : parsed(body)) as T;
    });
  }

  /** The body as it comes, for as long as it takes; the signal of `options` ends it. */
  async stream(method: Method, path: string, options: CallOptions = {}): Promise<IncomingMessage> {
    const asked = { method, path: await this.#versioned(path), apart: true };
    return this.#limited(options, async (limit) => answerOf(await this.#ask(asked, options, limit)));
  }

  /** Takes over the connection after the daemon switched protocols. `head`: what it sent with its answer. */
  async upgrade(
    path: string,
    options: Pick<CallOptions, 'query' | 'body' | 'headers' | 'timeoutMs' | 'signal'> = {},
  ): Promise<{ socket: Socket; head: Buffer }> {
    const asked = { method: 'POST', path: await this.#versioned(path), apart: true, hijack: true } as const;
    return this.#limited(options, async (limit) => {
      const socket = await this.#ask(asked, options, limit);
      if (!(socket instanceof Socket)) throw await refusalOf(socket);
      return { socket, head: (socket.read() as Buffer | null) ?? Buffer.alloc(0) };
    });
  }

  async #negotiate(): Promise<string> {
    const options = { timeoutMs: 10_000 };
    const daemon = await this.#limited(options, async (limit) =>
      json(answerOf(await this.#ask({ method: 'GET', path: '/version' }, options, limit))),
    );
    return agreeOnVersion(daemon as Parameters<typeof agreeOnVersion>[0]);
  }

  async #versioned(path: string): Promise<string> {
    return `/v${await this.version()}${path}`;
  }

  /** Rejects with the reason of whoever gave up or could not go on sending, with DockerError for a refusal, else with `unavailable`. */
  async #limited<T>(options: CallOptions, ask: (limit: TimeLimit) => Promise<T>): Promise<T> {
    const limit = timeLimit(options.timeoutMs ?? defaultTimeoutMs, options.signal);
    try {
      return await ask(limit);
    } catch (error) {
      if (options.signal?.aborted === true) throw options.signal.reason;
      if (limit.ended !== null) throw limit.ended;
      if (error instanceof DockerError || error instanceof BerthError || error instanceof TypeError) throw error;
      throw troubleOf(limit.signal.aborted ? limit.signal.reason : error, this.#endpoint);
    } finally {
      limit.clear();
    }
  }

  /** Rejects with DockerError for any status from 300 on. */
  async #ask(asked: Asked, options: CallOptions, limit: TimeLimit): Promise<IncomingMessage | Socket> {
    const bytes = options.content?.bytes;
    const stopWatching = watchSource(bytes, limit);
    try {
      const answer = await this.#dialAgain(asked, options, limit.signal);
      if (!(answer instanceof Socket) && (answer.statusCode ?? 500) >= 300) throw await refusalOf(answer);
      answer.once('close', () => dropSource(bytes));
      return answer;
    } catch (error) {
      stopWatching();
      dropSource(bytes);
      throw error;
    }
  }

  async #dialAgain(asked: Asked, options: CallOptions, signal: AbortSignal): Promise<IncomingMessage | Socket> {
    for (;;) {
      try {
        return await this.#dial(asked, options, signal);
      } catch (error) {
        // A stream is gone with the connection that it was sent on.
        if (!isStale(error) || options.content !== undefined || signal.aborted) throw error;
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
    // Everything is said: what is not, the transport would take from the environment's DOCKER_… variables.
    return new DockerModem({ ...nowhere, ...secrets, ...unsaid, ...at, agent });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw invalid('dockerHost', `the DOCKER_… variables of this environment are in the way: ${reason}`);
  }
}

/** A source that breaks off ends the call: nobody else would tell the daemon that there is no more. */
function watchSource(bytes: Readable | Buffer | undefined, limit: TimeLimit): () => void {
  if (bytes === undefined || Buffer.isBuffer(bytes)) return () => {};
  const failed = (error: Error): void => limit.end(error);
  const closed = (): void => {
    if (!bytes.readableEnded) limit.end(new Error('what was to be sent broke off'));
  };
  bytes.once('error', failed);
  bytes.once('close', closed);
  return () => bytes.off('close', closed);
}

function dropSource(bytes: Readable | Buffer | undefined): void {
  if (bytes !== undefined && !Buffer.isBuffer(bytes)) bytes.destroy();
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

/** What was asked for was no other protocol. */
function answerOf(answer: IncomingMessage | Socket): IncomingMessage {
  if (!(answer instanceof Socket)) return answer;
  answer.destroy();
  throw new Error('the daemon switched protocols unasked');
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
}

async function refusalOf(response: IncomingMessage): Promise<DockerError> {
  const body = parsed(await text(response).catch(() => ''));
  const message = typeof body === 'object' && body !== null && 'message' in body ? String(body.message) : String(body);
  return new DockerError(response.statusCode ?? 500, message.trim());
}
