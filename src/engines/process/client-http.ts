/** Requests to the agent over its unix socket. An agent that is just restarting is waited for: every verb may be said again. */
import { Agent, type IncomingMessage, request } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { unavailable } from '../../core/errors.ts';
import { errorFromWire, type WireError } from './wire.ts';

export interface CallOptions {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly body?: unknown;
  readonly signal?: AbortSignal;
  /** How long an agent that does not answer is asked again, from the first time that it did not; default 10 s. */
  readonly patienceMs?: number;
}

const retryMs = 50;
const gone = new Set(['ECONNREFUSED', 'ENOENT', 'ECONNRESET', 'EPIPE']);

export class AgentConnection {
  readonly #socketPath: string;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 });
  readonly #closed = new AbortController();

  constructor(socketPath: string) {
    this.#socketPath = socketPath;
  }

  /** The answer's JSON. Rejects with the agent's own BerthError, or `unavailable` when no agent answers in time. */
  async call<T>(options: CallOptions): Promise<T> {
    let until: number | null = null;
    for (;;) {
      try {
        return await this.#once<T>(options);
      } catch (error) {
        const code = (error as NodeJS.ErrnoException).code ?? '';
        if (!gone.has(code)) throw error;
        until ??= performance.now() + (options.patienceMs ?? 10_000);
        if (performance.now() > until || this.#closed.signal.aborted || options.signal?.aborted === true) {
          throw unavailable('the engine’s agent does not answer', error);
        }
        await delay(retryMs);
      }
    }
  }

  /** A response that goes on: its chunks until it ends. Rejects when the agent is not there. */
  stream(path: string, signal: AbortSignal): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const outgoing = request({ socketPath: this.#socketPath, path, signal: this.#either(signal), agent: false });
      outgoing.once('response', resolve);
      outgoing.on('error', reject);
      outgoing.end();
    });
  }

  /** An upgraded connection, and what arrived with the answer. */
  upgrade(path: string): Promise<{ readonly socket: Socket; readonly head: Buffer }> {
    return new Promise((resolve, reject) => {
      const outgoing = request({
        socketPath: this.#socketPath,
        path,
        method: 'GET',
        agent: false,
        headers: { connection: 'Upgrade', upgrade: 'berth-session' },
      });
      outgoing.once('upgrade', (_response, socket, head) => resolve({ socket: socket as Socket, head }));
      outgoing.once('error', (error) => reject(unavailable('the engine’s agent does not answer', error)));
      outgoing.end();
    });
  }

  close(): void {
    this.#closed.abort();
    this.#agent.destroy();
  }

  #either(signal: AbortSignal | undefined): AbortSignal {
    return signal === undefined ? this.#closed.signal : AbortSignal.any([signal, this.#closed.signal]);
  }

  #once<T>(options: CallOptions): Promise<T> {
    return new Promise((resolve, reject) => {
      const text = options.body === undefined ? null : JSON.stringify(options.body);
      const outgoing = request({
        socketPath: this.#socketPath,
        method: options.method,
        path: options.path,
        agent: this.#agent,
        signal: this.#either(options.signal),
        headers: text === null ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) },
      });
      outgoing.once('error', reject);
      outgoing.once('response', (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.once('error', reject);
        response.once('end', () => {
          const value: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'));
          if (response.statusCode === 200) resolve(value as T);
          else reject(errorFromWire(value as WireError));
        });
      });
      outgoing.end(text ?? undefined);
    });
  }
}
