/** A WebSocket that frames of JSON go out on, at the pace of its reader: one that takes nothing for a minute is gone. */
import type { WebSocket } from 'ws';

const STALLED_MS = 60_000;

export class FrameSocket {
  readonly #socket: WebSocket;
  readonly #left = new AbortController();
  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.once('close', () => this.#left.abort());
  }

  /** Aborts when the reader has left or was closed on. */
  get signal(): AbortSignal {
    return this.#left.signal;
  }

  /** Resolves when the frame is on its way. Rejects when the reader is gone. */
  send(frame: object): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#socket.terminate(), STALLED_MS);
      this.#socket.send(JSON.stringify(frame), (error) => {
        clearTimeout(timer);
        if (error == null) resolve();
        else reject(error);
      });
    });
  }

  /** Does the work so often, until the reader has left; a work that fails closes the socket. */
  every(ms: number, work: () => Promise<void>, close: (error: unknown) => void): void {
    let busy = false;
    const timer = setInterval(() => {
      if (busy) return;
      busy = true;
      work()
        .catch(close)
        .finally(() => {
          busy = false;
        });
    }, ms);
    this.#left.signal.addEventListener('abort', () => clearInterval(timer), { once: true });
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason);
    // Who does not answer the close is cut off.
    const timer = setTimeout(() => this.#socket.terminate(), CLOSING_MS);
    this.#left.signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
  }
}

const CLOSING_MS = 5_000;
