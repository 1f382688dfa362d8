/**
 * The Docker Engine API of one daemon: JSON calls, streams and hijacked connections, under the version agreed with it. Every call has a
 * time limit, and every failure says whose it is. Knows nothing of Berth.
 */
import type { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { BerthError, unavailable } from '../../../core/errors.ts';
import { collectBytes, LimitExceeded } from '../../../lib/streams.ts';
import { DockerError } from './docker-error.ts';
import type { Endpoint } from './endpoint.ts';
import { type TimeLimit, timeLimit } from './time-limit.ts';
import { type Asked, type CallOptions, type Method, Transport } from './transport.ts';
import { troubleOf } from './trouble.ts';
import { agreeOnVersion } from './version.ts';

export type { CallOptions, Query } from './transport.ts';

const defaultTimeoutMs = 60_000;
/** Of an answer that is read whole. The longest are lists: some kilobytes for each of what a node has. */
const largestMebibytes = 64;
/** Source: moby, api/server/middleware/version.go. */
const otherVersion = /client version \S+ is too (?:new|old)/;

export class DockerApi {
  readonly #endpoint: Endpoint;
  readonly #transport: Transport;
  /** Connections that were taken over and are open. */
  readonly #taken = new Set<Socket>();
  #version: Promise<string> | null = null;

  /** Connects to nothing yet. */
  constructor(endpoint: Endpoint) {
    this.#endpoint = endpoint;
    this.#transport = new Transport(endpoint);
  }

  /** Ends what is under way, but for connections that were taken over. What is asked after that connects anew. */
  close(): void {
    this.#transport.close();
  }

  /** As `close`, and ends those connections too: the daemon is gone, or hangs, and may close none of them. */
  lose(): void {
    this.close();
    const reason = unavailable('the Docker daemon does not answer');
    for (const socket of this.#taken) socket.destroy(reason);
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
    return this.#limited(options, async (signal) => {
      const asked = { method, path: await this.#versioned(path), apart: options.timeoutMs === 0 };
      const body = await textOf(answerOf(await this.#ask(asked, options, signal)));
      return (body === '' ? undefined : parsed(body)) as T;
    });
  }

  /** The body as it comes, for as long as it takes; the signal of `options` ends it. */
  async stream(method: Method, path: string, options: CallOptions = {}): Promise<IncomingMessage> {
    return this.#limited(options, async (signal) => {
      const asked = { method, path: await this.#versioned(path), apart: true };
      return answerOf(await this.#ask(asked, options, signal));
    });
  }

  /** Takes over the connection after the daemon switched protocols. `head`: what it sent with its answer. */
  async upgrade(
    path: string,
    options: Pick<CallOptions, 'query' | 'body' | 'headers' | 'timeoutMs' | 'signal'> = {},
  ): Promise<{ socket: Socket; head: Buffer }> {
    return this.#limited(options, async (signal) => {
      const asked = { method: 'POST', path: await this.#versioned(path), apart: true, hijack: true } as const;
      const socket = await this.#ask(asked, options, signal);
      if (!(socket instanceof Socket)) throw await refusalOf(socket);
      this.#taken.add(socket);
      socket.once('close', () => this.#taken.delete(socket));
      return { socket, head: (socket.read() as Buffer | null) ?? Buffer.alloc(0) };
    });
  }

  async #negotiate(): Promise<string> {
    const options = { timeoutMs: 10_000 };
    const daemon = await this.#limited(options, async (signal) =>
      JSON.parse(await textOf(answerOf(await this.#ask({ method: 'GET', path: '/version' }, options, signal)))),
    );
    return agreeOnVersion(daemon as Parameters<typeof agreeOnVersion>[0]);
  }

  async #versioned(path: string): Promise<string> {
    return `/v${await this.version()}${path}`;
  }

  /** Rejects with the reason of whoever gave up or could not go on sending, with DockerError for a refusal, else with `unavailable`. */
  async #limited<T>(options: CallOptions, ask: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const limit = timeLimit(options.timeoutMs ?? defaultTimeoutMs, options.signal);
    const source = watchSource(options.content?.bytes, limit);
    try {
      return await ask(limit.signal);
    } catch (error) {
      source.drop();
      if (options.signal?.aborted === true) throw options.signal.reason;
      if (limit.ended !== null) throw limit.ended;
      if (error instanceof DockerError || error instanceof BerthError || error instanceof TypeError) throw error;
      throw troubleOf(limit.signal.aborted ? limit.signal.reason : error, this.#endpoint);
    } finally {
      limit.clear();
    }
  }

  /** Rejects with DockerError for any status from 300 on. */
  async #ask(asked: Asked, options: CallOptions, signal: AbortSignal): Promise<IncomingMessage | Socket> {
    const answer = await this.#transport.ask(asked, options, signal);
    const bytes = options.content?.bytes;
    if (bytes !== undefined && !Buffer.isBuffer(bytes)) answer.once('close', () => bytes.destroy());
    if (answer instanceof Socket || (answer.statusCode ?? 500) < 300) return answer;
    const refusal = await refusalOf(answer);
    // Another daemon came in its place.
    if (refusal.status === 400 && otherVersion.test(refusal.message)) this.#version = null;
    throw refusal;
  }
}

/** A source that fails or breaks off ends the call: nobody else would tell the daemon that there is no more. */
function watchSource(bytes: Readable | Buffer | undefined, limit: TimeLimit): { drop(): void } {
  if (bytes === undefined || Buffer.isBuffer(bytes)) return { drop: () => {} };
  const failed = (error: Error): void => limit.end(error);
  const closed = (): void => {
    if (!bytes.readableEnded) limit.end(new Error('what was to be sent broke off'));
  };
  bytes.once('error', failed);
  bytes.once('close', closed);
  if (bytes.errored) failed(bytes.errored);
  else if (bytes.destroyed) closed();
  return {
    drop: () => {
      bytes.off('close', closed);
      bytes.destroy();
    },
  };
}

/** What was asked for was no other protocol. */
function answerOf(answer: IncomingMessage | Socket): IncomingMessage {
  if (!(answer instanceof Socket)) return answer;
  answer.destroy();
  throw new Error('the daemon switched protocols unasked');
}

/** Throws `unavailable` for one without an end: nothing that Berth asks for is as long. */
async function textOf(answer: IncomingMessage): Promise<string> {
  try {
    return (await collectBytes(answer, largestMebibytes * 2 ** 20)).toString();
  } catch (error) {
    if (!(error instanceof LimitExceeded)) throw error;
    throw unavailable(`the Docker daemon answers with more than ${largestMebibytes} MiB`, error);
  }
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
}

async function refusalOf(response: IncomingMessage): Promise<DockerError> {
  const body = parsed(await textOf(response).catch(() => ''));
  const message = typeof body === 'object' && body !== null && 'message' in body ? String(body.message) : String(body);
  return new DockerError(response.statusCode ?? 500, message.trim());
}
