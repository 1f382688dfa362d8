/**
 * Between one follower and its reader: bounded, drops the oldest when the reader is too slow, and counts what it dropped. So a reader
 * that stalls costs a fixed amount of memory and holds up nobody.
 */
import type { LogBatch, LogLine } from '../core/ports/log-store.ts';

export class LineQueue {
  readonly #maxLines: number;
  readonly #maxCharacters: number;
  #lines: LogLine[] = [];
  #characters = 0;
  #dropped = 0;
  #wake: (() => void) | null = null;
  #failure: { readonly error: unknown } | null = null;
  #closed = false;

  constructor(maxLines: number, maxCharacters: number) {
    this.#maxLines = maxLines;
    this.#maxCharacters = maxCharacters;
  }

  push(lines: readonly LogLine[]): void {
    if (lines.length === 0) return;
    for (const line of lines) {
      this.#lines.push(line);
      this.#characters += line.text.length;
    }
    let drop = 0;
    while (this.#lines.length - drop > this.#maxLines || this.#characters > this.#maxCharacters) {
      this.#characters -= this.#lines[drop]?.text.length ?? 0;
      drop += 1;
    }
    this.#lines.splice(0, drop);
    this.#dropped += drop;
    this.#wake?.();
  }

  /** Ends the queue; what is in it is still handed out, then the failure (if any) is thrown. */
  close(failure?: { readonly error: unknown }): void {
    this.#closed = true;
    this.#failure ??= failure ?? null;
    this.#wake?.();
  }

  /** All that is there, as soon as there is something; null after the end. One caller at a time. */
  async take(): Promise<LogBatch | null> {
    while (this.#lines.length === 0) {
      if (this.#failure !== null) throw this.#failure.error;
      if (this.#closed) return null;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = null;
    }
    const batch = { lines: this.#lines, dropped: this.#dropped };
    this.#lines = [];
    this.#characters = 0;
    this.#dropped = 0;
    return batch;
  }
}
