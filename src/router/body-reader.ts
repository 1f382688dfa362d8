/** Finds the end of a request's body by what its head said. */
import { ChunkScanner } from './chunk-scanner.ts';
import type { RequestHead } from './request-head.ts';

export class BodyReader {
  readonly #chunks: ChunkScanner | null;
  readonly #length: number;
  #remaining: number;

  private constructor(chunks: ChunkScanner | null, length: number) {
    this.#chunks = chunks;
    this.#length = length;
    this.#remaining = length;
  }

  /** Null when the request has no body. */
  static of(head: RequestHead): BodyReader | null {
    if (head.chunked) return new BodyReader(new ChunkScanner(), 0);
    return head.contentLength > 0 ? new BodyReader(null, head.contentLength) : null;
  }

  get done(): boolean {
    return this.#chunks === null ? this.#remaining === 0 : this.#chunks.done;
  }

  get payloadBytes(): number {
    return this.#chunks === null ? this.#length - this.#remaining : this.#chunks.payloadBytes;
  }

  /** How many of the bytes belong to the body, -1 when they are malformed. */
  read(bytes: Buffer): number {
    if (this.#chunks !== null) return this.#chunks.scan(bytes, 0, bytes.length);
    const taken = Math.min(bytes.length, this.#remaining);
    this.#remaining -= taken;
    return taken;
  }
}
