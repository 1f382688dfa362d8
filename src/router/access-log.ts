/**
 * Access lines on their way out of a worker: gathered and written in batches to the router's primary process. Never waits: when the reader is
 * behind, the oldest batches go, and the app's log is told how many lines that were.
 */
import type { Writable } from 'node:stream';

const batchCharacters = 48 * 1024;
const flushMs = 50;
const maxUnsentBatches = 64;

/** One line on the wire: epoch milliseconds, app, process type, instance, text; separated by tabs. */
export function encodeLine(atMs: number, appId: string, processType: string, instanceId: string, text: string): string {
  return `${atMs}\t${appId}\t${processType}\t${instanceId}\t${text}\n`;
}

export class AccessLog {
  readonly #out: Writable;
  readonly #nowMs: () => number;
  #batch = '';
  #timer: NodeJS.Timeout | null = null;
  #unsent: string[] = [];
  #blocked = false;
  #dropped = new Map<string, number>();

  /** `nowMs` gives the epoch time in milliseconds. */
  constructor(out: Writable, nowMs: () => number) {
    this.#out = out;
    this.#nowMs = nowMs;
    out.on('drain', () => {
      this.#blocked = false;
      this.#send();
    });
    out.on('error', () => {});
  }

  write(appId: string, processType: string, instanceId: string, text: string): void {
    this.#batch += encodeLine(Math.round(this.#nowMs()), appId, processType, instanceId, text);
    if (this.#batch.length > batchCharacters) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), flushMs);
  }

  /** Hands what was gathered to the stream. */
  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#batch !== '') this.#unsent.push(this.#batch);
    this.#batch = '';
    while (this.#unsent.length > maxUnsentBatches) this.#drop(this.#unsent.shift() ?? '');
    this.#send();
  }

  /** Flushes and resolves when the stream took all. */
  async end(): Promise<void> {
    this.flush();
    while (this.#unsent.length > 0) {
      this.#blocked = false;
      this.#send();
    }
    await new Promise<void>((resolve) => this.#out.end(resolve));
  }

  #send(): void {
    while (!this.#blocked && this.#unsent.length > 0) {
      let batch = this.#unsent.shift() ?? '';
      if (this.#dropped.size > 0) {
        for (const [appId, count] of this.#dropped)
          batch = encodeLine(Math.round(this.#nowMs()), appId, '', '', `dropped ${count} access lines`) + batch;
        this.#dropped.clear();
      }
      this.#blocked = !this.#out.write(batch, 'latin1');
    }
  }

  #drop(batch: string): void {
    for (const line of batch.split('\n')) {
      const appId = line.split('\t', 2)[1];
      if (appId !== undefined) this.#dropped.set(appId, (this.#dropped.get(appId) ?? 0) + 1);
    }
  }
}
