/**
 * Hears the wakes of all replicas on a connection of its own. A lost connection is made again with back-off; as wakes may have been missed
 * meanwhile, every topic is then woken with the id `*`.
 */
import pg from 'pg';
import type { WakeTopic } from '../core/ports/database.ts';
import type { Logger } from '../lib/logger.ts';
import { type ConnectionOptions, clientConfig } from './connection.ts';

export const WAKE_CHANNEL = 'berth';
const topics: readonly WakeTopic[] = ['app', 'operation', 'event', 'routing', 'node'];
const FIRST_RETRY_MS = 50;
const LAST_RETRY_MS = 2_000;
/** How long a connection that died without a word may stay unnoticed. */
const PROBE_MS = 30_000;

export type WakeListener = (topic: WakeTopic, id: string) => void;

export const wakePayload = (topic: WakeTopic, id: string): string => `${topic}:${id}`;

export class Wakes {
  readonly #options: ConnectionOptions;
  readonly #logger: Logger;
  readonly #listeners = new Set<WakeListener>();
  #client: pg.Client | null = null;
  #retry: NodeJS.Timeout | null = null;
  #probe: NodeJS.Timeout | null = null;
  #retryMs = FIRST_RETRY_MS;
  #closed = false;

  constructor(options: ConnectionOptions, logger: Logger) {
    this.#options = options;
    this.#logger = logger;
  }

  /** Resolves when wakes are heard; rejects when the database cannot be reached. */
  async open(): Promise<void> {
    const client = new pg.Client(clientConfig(this.#options));
    let lost = false;
    const onLost = (error?: Error): void => {
      if (lost) return;
      lost = true;
      if (this.#client === client) this.#reconnect(error);
    };
    client.on('error', onLost);
    client.on('end', () => onLost());
    client.on('notification', (message) => this.#hear(message.payload ?? ''));
    try {
      await client.connect();
      await client.query(`listen ${WAKE_CHANNEL}`);
    } catch (error) {
      lost = true;
      await client.end().catch(() => {});
      throw error;
    }
    if (this.#closed || lost) {
      await client.end().catch(() => {});
      if (!this.#closed) throw new Error('the connection was lost again');
      return;
    }
    this.#client = client;
    this.#retryMs = FIRST_RETRY_MS;
    this.#probe = setInterval(() => client.query('select 1').catch(onLost), PROBE_MS).unref();
  }

  /** Calls `listener` for every wake until the returned function is called. */
  listen(listener: WakeListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#retry !== null) clearTimeout(this.#retry);
    if (this.#probe !== null) clearInterval(this.#probe);
    const client = this.#client;
    this.#client = null;
    await client?.end().catch(() => {});
  }

  #reconnect(error?: Error): void {
    const client = this.#client;
    this.#client = null;
    if (this.#probe !== null) clearInterval(this.#probe);
    void client?.end().catch(() => {});
    if (this.#closed) return;
    this.#logger.warn({ reason: error?.message ?? 'closed' }, 'the connection that hears wakes was lost');
    this.#retryLater();
  }

  #retryLater(): void {
    this.#retry = setTimeout(() => void this.#tryAgain(), this.#retryMs);
    this.#retryMs = Math.min(2 * this.#retryMs, LAST_RETRY_MS);
  }

  async #tryAgain(): Promise<void> {
    try {
      await this.open();
    } catch {
      if (!this.#closed) this.#retryLater();
      return;
    }
    if (this.#closed) return;
    this.#logger.info({}, 'wakes are heard again');
    for (const topic of topics) this.#tell(topic, '*');
  }

  #hear(payload: string): void {
    const at = payload.indexOf(':');
    const topic = topics.find((known) => known === payload.slice(0, at));
    if (topic !== undefined) this.#tell(topic, payload.slice(at + 1));
  }

  #tell(topic: WakeTopic, id: string): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(topic, id);
      } catch (error) {
        this.#logger.error({ err: error, topic }, 'a listener of wakes failed');
      }
    }
  }
}
