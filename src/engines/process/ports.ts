/** Ports for `$PORT`: each number goes to one unit at a time, whichever space it is in. */
import { createServer } from 'node:net';

export class Ports {
  readonly #first: number;
  readonly #last: number;
  readonly #used = new Set<number>();
  #next: number;

  constructor(range: { readonly first: number; readonly last: number }, start: number) {
    this.#first = range.first;
    this.#last = range.last;
    this.#next = range.first + (start % (range.last - range.first + 1));
  }

  /** `probe`: skip numbers that something on the host's loopback listens on. Rejects when none is free. */
  async take(probe: boolean): Promise<number> {
    for (let tries = this.#last - this.#first + 1; tries > 0; tries--) {
      const port = this.#next;
      this.#next = port >= this.#last ? this.#first : port + 1;
      if (this.#used.has(port)) continue;
      this.#used.add(port);
      if (!probe || (await isFree(port))) return port;
      this.#used.delete(port);
    }
    throw new Error('no port is left for another instance');
  }

  /** Marks a number that an adopted unit uses. */
  hold(port: number): void {
    this.#used.add(port);
  }

  release(port: number): void {
    this.#used.delete(port);
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
