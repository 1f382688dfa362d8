/** What `berth up` tells the person who waits: one line a step, on a terminal rewritten in place while it works. */
import type { WriteStream } from 'node:tty';

export class Progress {
  readonly #out: NodeJS.WriteStream | WriteStream;
  constructor(out: NodeJS.WriteStream) {
    this.#out = out;
    // A terminal that was closed must not keep the platform from stopping in order.
    out.on('error', () => {});
  }

  say(text: string): void {
    this.#out.write(`${text}\n`);
  }

  /** Runs a step; its line ends with how long it took. */
  async step<T>(name: string, work: (say: (text: string) => void) => Promise<T>): Promise<T> {
    const started = performance.now();
    const live = this.#out.isTTY === true;
    let last = '';
    const say = (text: string): void => {
      if (text === last) return;
      last = text;
      if (live) this.#out.write(`\r\x1b[2K  … ${name}: ${text}`);
      else this.#out.write(`  … ${name}: ${text}\n`);
    };
    if (live) say('starting');
    try {
      const result = await work(say);
      const seconds = ((performance.now() - started) / 1_000).toFixed(1);
      this.#out.write(`${live ? '\r\x1b[2K' : ''}  ✓ ${name} (${seconds} s)\n`);
      return result;
    } catch (error) {
      if (live) this.#out.write('\r\x1b[2K');
      this.#out.write(`  ✗ ${name}\n`);
      throw error;
    }
  }
}
