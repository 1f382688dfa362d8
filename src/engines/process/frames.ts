/** The framing of an upgraded connection: one byte of kind, four of length (big endian), then so many bytes. Binary-safe both ways. */

export const frame = {
  /** Client to agent. */
  open: 0,
  stdin: 1,
  stdinEnd: 2,
  control: 3,
  /** Agent to client. */
  opened: 16,
  failed: 17,
  stdout: 18,
  stderr: 19,
  exit: 20,
  /** For each `stdin`, once the command has taken it: the next may come. */
  stdinTaken: 21,
} as const;

export type Control =
  | { readonly kind: 'resize'; readonly columns: number; readonly rows: number }
  | { readonly kind: 'kill'; readonly signal: string };

const headerBytes = 5;
/** A longer frame is refused: no honest side sends one. */
export const longestFrame = 16 * 1024 * 1024;

export function encodeFrame(kind: number, payload: Uint8Array | string = ''): Buffer {
  const body = typeof payload === 'string' ? Buffer.from(payload) : payload;
  const bytes = Buffer.allocUnsafe(headerBytes + body.length);
  bytes.writeUInt8(kind, 0);
  bytes.writeUInt32BE(body.length, 1);
  bytes.set(body, headerBytes);
  return bytes;
}

export class FrameReader {
  #held: Buffer = Buffer.alloc(0);

  /** Whole frames so far. Throws on one that is too long. */
  push(chunk: Buffer): { readonly kind: number; readonly payload: Buffer }[] {
    this.#held = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    const frames = [];
    while (this.#held.length >= headerBytes) {
      const length = this.#held.readUInt32BE(1);
      if (length > longestFrame) throw new RangeError('a frame is too long');
      if (this.#held.length < headerBytes + length) break;
      frames.push({ kind: this.#held.readUInt8(0), payload: this.#held.subarray(headerBytes, headerBytes + length) });
      this.#held = this.#held.subarray(headerBytes + length);
    }
    return frames;
  }
}
