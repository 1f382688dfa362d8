/**
 * Whether an instance that owes answers can still be reached at all. Its machine may have lost its power or its cable: then nothing ends the
 * connections to it, and requests would wait for their whole time limit. A bare connection tells a slow app from a lost one.
 */
import { connect, type Socket } from 'node:net';

/** One lost packet is no lost machine. */
const silencesForLost = 2;
/** A slow app that answered is left in peace for so many times the time limit. */
const peace = 5;

export class Reach {
  readonly #host: string;
  readonly #port: number;
  readonly #timeoutMs: number;
  #asking: Socket | null = null;
  #silences = 0;
  #peaceUntilMs = Number.NEGATIVE_INFINITY;

  /** `timeoutMs`: how long one attempt waits for the other machine's kernel. */
  constructor(host: string, port: number, timeoutMs: number) {
    this.#host = host;
    this.#port = port;
    this.#timeoutMs = timeoutMs;
  }

  /** Asks in the background unless that was just done; true once several attempts in a row had no answer. */
  isLost(nowMs: number): boolean {
    if (this.#asking === null && nowMs >= this.#peaceUntilMs) this.#ask(nowMs);
    return this.#silences >= silencesForLost;
  }

  /** It answered somebody else. */
  answered(): void {
    this.#silences = 0;
  }

  close(): void {
    this.#asking?.destroy();
    this.#asking = null;
  }

  #ask(nowMs: number): void {
    const socket = connect({ host: this.#host, port: this.#port });
    this.#asking = socket;
    const settle = (isAnswered: boolean): void => {
      if (this.#asking !== socket) return;
      this.#asking = null;
      socket.destroy();
      this.#silences = isAnswered ? 0 : this.#silences + 1;
      if (isAnswered) this.#peaceUntilMs = nowMs + peace * this.#timeoutMs;
    };
    socket.setTimeout(this.#timeoutMs, () => settle(false));
    socket.once('connect', () => settle(true));
    // A refusal is an answer too: the machine is there.
    socket.once('error', (error: NodeJS.ErrnoException) => settle(error.code === 'ECONNREFUSED'));
  }
}
