/**
 * The Docker Engine API of one daemon: JSON calls, streams and hijacked connections, under the version agreed with it. Every call has a
 * time limit. Knows nothing of Berth.
 */
import { Agent as HttpAgent, type IncomingMessage, type RequestOptions, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { json, text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { unavailable } from '../../../core/errors.ts';
import { DockerError } from './docker-error.ts';
import type { Endpoint } from './endpoint.ts';
import { agreeOnVersion } from './version.ts';

export type Query = Readonly<Record<string, string | number | boolean | object | undefined>>;

export interface CallOptions {
  readonly query?: Query;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Sent as it is, instead of `body`. */
  readonly content?: { readonly type: string; readonly bytes: Readable | Buffer };
  /** From the asking to the whole answer of `call`, to its head for the others. Default 60 s; 0: none. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  readonly headers?: Readonly<Record<string, string>>;
}

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE' | 'HEAD';

const defaultTimeoutMs = 60_000;

export class DockerApi {
  readonly #endpoint: Endpoint;
  readonly #agent: HttpAgent | HttpsAgent;
  #version: Promise<string> | null = null;

  constructor(endpoint: Endpoint) {
    this.#endpoint = endpoint;
    const kept = { keepAlive: true, maxSockets: 128, maxFreeSockets: 8 };
    this.#agent = endpoint.kind === 'unix' ? new HttpAgent(kept) : new HttpsAgent(kept);
  }

  close(): void {
    this.#agent.destroy();
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
    const answer = await this.#ask(method, await this.#path(path, options.query), options);
    const body = await text(answer);
    return (body === '' ? undefined : parsed(body)) as T;
  }

  /** The body as it comes, for as long as it takes. */
  async stream(method: Method, path: string, options: CallOptions = {}): Promise<IncomingMessage> {
    return this.#ask(method, await this.#path(path, options.query), options);
  }

  /** Takes over the connection after the daemon switched protocols. */
  async upgrade(
    path: string,
    options: Pick<CallOptions, 'query' | 'body'> = {},
  ): Promise<{ socket: Socket; head: Buffer }> {
    const whole = await this.#path(path, options.query);
    return new Promise((resolve, reject) => {
      const asked = this.#request('POST', whole, { Connection: 'Upgrade', Upgrade: 'tcp' }, options.body, false);
      const timer = setTimeout(() => asked.destroy(new Error('too slow')), defaultTimeoutMs);
      asked.once('upgrade', (_response, socket: Socket, head: Buffer) => {
        clearTimeout(timer);
        resolve({ socket, head });
      });
      asked.once('response', (response) => {
        clearTimeout(timer);
        refusal(response).then(reject, reject);
      });
      asked.once('error', (error) => {
        clearTimeout(timer);
        reject(unavailable('the Docker daemon does not answer', error));
      });
      asked.end(options.body === undefined ? undefined : JSON.stringify(options.body));
    });
  }

  async #negotiate(): Promise<string> {
    const answer = await this.#ask('GET', '/version', { timeoutMs: 10_000 });
    return agreeOnVersion((await json(answer)) as Parameters<typeof agreeOnVersion>[0]);
  }

  async #path(path: string, query: Query = {}): Promise<string> {
    const words = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) words.set(name, typeof value === 'object' ? JSON.stringify(value) : String(value));
    }
    const asked = words.size === 0 ? '' : `?${words}`;
    return `/v${await this.version()}${path}${asked}`;
  }

  #ask(method: Method, path: string, options: CallOptions): Promise<IncomingMessage> {
    const { body, content, timeoutMs = defaultTimeoutMs, signal, headers } = options;
    return new Promise((resolve, reject) => {
      const asked = this.#request(method, path, { ...headers, ...contentHeaders(content) }, body, true, signal);
      const timer = timeoutMs === 0 ? null : setTimeout(() => asked.destroy(new Error('too slow')), timeoutMs);
      const settle = (): void => clearTimeout(timer ?? undefined);
      asked.once('error', (error) => {
        settle();
        // A kept connection that the daemon had closed in the meantime: what was asked never arrived.
        const isStale = asked.reusedSocket && 'code' in error && error.code === 'ECONNRESET';
        if (isStale && content === undefined && signal?.aborted !== true) {
          this.#ask(method, path, options).then(resolve, reject);
          return;
        }
        reject(signal?.aborted === true ? signal.reason : unavailable('the Docker daemon does not answer', error));
      });
      asked.once('response', (response) => {
        settle();
        // A connection that breaks in the middle is told to whoever reads.
        response.on('error', () => {});
        if ((response.statusCode ?? 500) < 300) resolve(response);
        else refusal(response).then(reject, reject);
      });
      if (content === undefined) asked.end(body === undefined ? undefined : JSON.stringify(body));
      else if (Buffer.isBuffer(content.bytes)) asked.end(content.bytes);
      else pipeline(content.bytes, asked).catch((error: Error) => asked.destroy(error));
    });
  }

  #request(
    method: Method,
    path: string,
    headers: Readonly<Record<string, string>>,
    body: unknown,
    keep: boolean,
    signal?: AbortSignal,
  ) {
    const whole = {
      Host: 'docker',
      ...headers,
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
    };
    const options: RequestOptions = { method, path, headers: whole, ...(signal === undefined ? {} : { signal }) };
    const agent = keep ? this.#agent : false;
    const { kind } = this.#endpoint;
    if (kind === 'unix') return requestHttp({ ...options, agent, socketPath: this.#endpoint.path });
    const { host, port, tls } = this.#endpoint;
    return requestHttps({ ...options, agent, host, port, ca: tls.ca, cert: tls.certificate, key: tls.key });
  }
}

function contentHeaders(content: CallOptions['content']): Record<string, string> {
  return content === undefined ? {} : { 'Content-Type': content.type };
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
}

async function refusal(response: IncomingMessage): Promise<DockerError> {
  const body = parsed(await text(response).catch(() => ''));
  const message = typeof body === 'object' && body !== null && 'message' in body ? String(body.message) : String(body);
  return new DockerError(response.statusCode ?? 500, message.trim());
}
