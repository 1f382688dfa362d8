/**
 * Follows a chunked body without decoding it: finds its end and refuses what is malformed, so that the bytes can be passed on as they are.
 * Trailers pass too, except names that would change framing or routing.
 */
import { fieldKind, PLAIN } from './field-kinds.ts';
import { scanFields } from './field-scanner.ts';

const SIZE = 0;
const EXTENSION = 1;
const SIZE_LF = 2;
const DATA = 3;
const DATA_CR = 4;
const DATA_LF = 5;
const TRAILER = 6;
const DONE = 7;
const maxExtension = 1024;
const maxTrailer = 16 * 1024;

export class ChunkScanner {
  /** Payload seen so far, bytes. */
  payloadBytes = 0;
  /** Ranges [from, to, …] of the payload within the last scanned bytes; filled only when asked for. */
  readonly ranges: number[] = [];
  readonly #keepRanges: boolean;
  #state = SIZE;
  #size = 0;
  #digits = 0;
  #extension = 0;
  #trailer = '';

  constructor(keepRanges = false) {
    this.#keepRanges = keepRanges;
  }

  get done(): boolean {
    return this.#state === DONE;
  }

  /** Scans bytes [from, to). Gives the index after the last byte that belongs to the body, or -1 when they are malformed. */
  scan(bytes: Uint8Array, from: number, to: number): number {
    if (this.#keepRanges) this.ranges.length = 0;
    let at = from;
    while (at < to && this.#state !== DONE) {
      if (this.#state === DATA) {
        const end = Math.min(to, at + this.#size);
        if (this.#keepRanges) this.ranges.push(at, end);
        this.#size -= end - at;
        this.payloadBytes += end - at;
        at = end;
        if (this.#size === 0) this.#state = DATA_CR;
      } else if (!this.#step(bytes[at++] as number)) return -1;
    }
    return at;
  }

  #step(byte: number): boolean {
    switch (this.#state) {
      case SIZE: {
        const digit = hexDigit(byte);
        if (digit !== -1) {
          this.#size = this.#size * 16 + digit;
          this.#digits++;
          return this.#digits <= 12;
        }
        if (this.#digits === 0) return false;
        if (byte === 13) this.#state = SIZE_LF;
        else if (byte === 59) this.#state = EXTENSION;
        else return false;
        return true;
      }
      case EXTENSION:
        if (byte === 13) this.#state = SIZE_LF;
        else if ((byte < 32 && byte !== 9) || byte === 127 || ++this.#extension > maxExtension) return false;
        return true;
      case SIZE_LF:
        if (byte !== 10) return false;
        this.#state = this.#size === 0 ? TRAILER : DATA;
        this.#digits = 0;
        return true;
      case DATA_CR:
        this.#state = DATA_LF;
        return byte === 13;
      case DATA_LF:
        this.#state = SIZE;
        return byte === 10;
      default:
        return this.#trailerByte(byte);
    }
  }

  #trailerByte(byte: number): boolean {
    this.#trailer += String.fromCharCode(byte);
    if (byte !== 10) return this.#trailer.length < maxTrailer;
    const fields: string[] = [];
    const end = scanFields(this.#trailer, 0, 64, fields);
    if (end < -1) return false;
    for (let at = 0; at < fields.length; at += 2) if (fieldKind(fields[at] as string) !== PLAIN) return false;
    if (end !== -1) this.#state = DONE;
    return true;
  }
}

function hexDigit(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48;
  const lower = byte | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}
