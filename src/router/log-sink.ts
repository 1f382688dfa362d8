/**
 * Takes access lines from the workers' pipes to the log store. A store that is slow holds up no worker: each app's queue is bounded, drops its
 * oldest lines, and says in the app's log how many.
 */
import type { Readable } from 'node:stream';
import type { Clock } from '../core/ports/clock.ts';
import type { LogLine, LogStore } from '../core/ports/log-store.ts';
import type { Logger } from '../lib/logger.ts';

const maxQueued = 20_000;
const batchLines = 5_000;
const longestPartial = 64 * 1024;

interface Queue {
  lines: LogLine[];
  dropped: number;
  writing: Promise<void> | null;
}

export class LogSink {
  readonly #store: Pick<LogStore, 'append'>;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #queues = new Map<string, Queue>();

  constructor(store: Pick<LogStore, 'append'>, clock: Clock, logger: Logger) {
    this.#store = store;
    this.#clock = clock;
    this.#logger = logger;
  }

  /** Reads a worker's pipe until it ends. */
  follow(pipe: Readable): void {
    let partial = '';
    pipe.setEncoding('utf8');
    pipe.on('data', (text: string) => {
      const lines = (partial + text).split('\n');
      partial = lines.pop() ?? '';
      if (partial.length > longestPartial) partial = '';
      const touched = new Set<string>();
      for (const line of lines) this.#take(line, touched);
      for (const appId of touched) this.#write(appId);
    });
    pipe.on('error', () => {});
  }

  /** Resolves when all that was taken is appended. */
  async flush(): Promise<void> {
    for (;;) {
      const writing = [...this.#queues.values()].flatMap((queue) => (queue.writing === null ? [] : [queue.writing]));
      if (writing.length === 0) return;
      await Promise.all(writing);
    }
  }

  #take(line: string, touched: Set<string>): void {
    const [at, appId, process, instance, ...text] = line.split('\t');
    if (at === undefined || appId === undefined || process === undefined || instance === undefined) return;
    const queue = this.#queues.get(appId) ?? { lines: [], dropped: 0, writing: null };
    this.#queues.set(appId, queue);
    queue.lines.push({ at: new Date(Number(at)), source: 'router', process, instance, seat: '', text: text.join(' ') });
    if (queue.lines.length > maxQueued) {
      const tooMany = queue.lines.length - maxQueued / 2;
      queue.lines.splice(0, tooMany);
      queue.dropped += tooMany;
    }
    touched.add(appId);
  }

  #write(appId: string): void {
    const queue = this.#queues.get(appId);
    if (queue === undefined || queue.writing !== null) return;
    queue.writing = this.#drainQueue(appId, queue).finally(() => {
      queue.writing = null;
      this.#queues.delete(appId);
    });
  }

  async #drainQueue(appId: string, queue: Queue): Promise<void> {
    while (queue.lines.length > 0) {
      const lines = queue.lines.splice(0, batchLines);
      if (queue.dropped > 0) {
        const text = `dropped ${queue.dropped} access lines`;
        lines.unshift({ at: this.#clock.now(), source: 'router', process: '', instance: '', seat: '', text });
        queue.dropped = 0;
      }
      try {
        await this.#store.append(`apps/${appId}`, lines);
      } catch (error) {
        this.#logger.warn({ err: error, appId, lines: lines.length }, 'access lines could not be kept');
      }
    }
  }
}
