/**
 * Carries what a unit prints from its named pipe to the log store, in batches. Memory is bounded: when the store is slower than the app
 * the pipe is left unread, and the app waits in its own write.
 */
import { Socket } from 'node:net';
import type { LogLine } from '../../core/ports/log-store.ts';
import type { Logger } from '../../lib/logger.ts';
import { LineSplitter } from '../common/line-splitter.ts';

const pauseAtLines = 4_000;

export interface LogPumpOptions {
  /** A readable file descriptor of the pipe; the pump closes it. */
  readonly fd: number;
  readonly append: (lines: readonly LogLine[]) => Promise<void>;
  readonly line: (text: string) => LogLine;
  readonly logger: Logger;
  /** Bytes after which nothing more is kept and `onOverflow` is called once; null for no limit. */
  readonly maxBytes: number | null;
  readonly onOverflow: () => void;
}

export class LogPump {
  /** Settles when the pipe has no writer left and everything read is appended. */
  readonly done: Promise<void>;
  readonly #options: LogPumpOptions;
  readonly #socket: Socket;
  readonly #splitter = new LineSplitter();
  readonly #finish: () => void;
  #queue: LogLine[] = [];
  #flushing = false;
  #ended = false;
  #bytes = 0;

  constructor(options: LogPumpOptions) {
    this.#options = options;
    let finish = (): void => {};
    this.done = new Promise((resolve) => {
      finish = resolve;
    });
    this.#finish = finish;
    this.#socket = new Socket({ fd: options.fd, readable: true, writable: false });
    this.#socket.on('data', (chunk: Buffer) => this.#take(chunk));
    this.#socket.on('error', (error) => options.logger.warn({ error }, 'reading the output of a unit failed'));
    this.#socket.on('close', () => {
      this.#add(this.#splitter.end());
      this.#ended = true;
      void this.#flush();
    });
  }

  /** Stops reading, for when writers are left that will never end; what was read is still appended. */
  close(): void {
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    const limit = this.#options.maxBytes;
    const left = limit === null ? chunk.length : Math.max(0, limit - this.#bytes);
    const before = this.#bytes;
    this.#bytes += chunk.length;
    this.#add(this.#splitter.push(left < chunk.length ? chunk.subarray(0, left) : chunk));
    if (limit !== null && before <= limit && this.#bytes > limit) this.#options.onOverflow();
    if (this.#queue.length >= pauseAtLines) this.#socket.pause();
    void this.#flush();
  }

  #add(texts: readonly string[]): void {
    for (const text of texts) this.#queue.push(this.#options.line(text));
  }

  async #flush(): Promise<void> {
    if (this.#flushing) return;
    this.#flushing = true;
    while (this.#queue.length > 0) {
      const batch = this.#queue;
      this.#queue = [];
      try {
        await this.#options.append(batch);
      } catch (error) {
        this.#options.logger.warn({ error, lines: batch.length }, 'log lines were lost: the log store refused them');
      }
      if (!this.#ended) this.#socket.resume();
    }
    this.#flushing = false;
    if (this.#ended) this.#finish();
  }
}
