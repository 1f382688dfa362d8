/** Where the body of a request ends within the bytes of a connection, for who reads them without Node's parser (RFC 9112, section 6). */
import type { IncomingHttpHeaders } from 'node:http';
import { invalid } from '../../core/errors.ts';

export interface BodyFraming {
  /** Takes what belongs to the body and its framing; gives how many bytes that were. Throws `invalid` for what is no body. */
  push(bytes: Buffer, take: (content: Buffer) => void): number;
  readonly done: boolean;
}

/** By the request's headers; a request without either header has an empty body. */
export function framingOf(headers: Pick<IncomingHttpHeaders, 'content-length' | 'transfer-encoding'>): BodyFraming {
  const { 'content-length': length, 'transfer-encoding': coding } = headers;
  if (coding !== undefined) {
    if (length !== undefined || coding.trim().toLowerCase() !== 'chunked') throw malformed('transfer-encoding');
    return new ChunkedFraming();
  }
  if (length !== undefined && !/^\d{1,15}$/.test(length)) throw malformed('content-length');
  return new FixedFraming(Number(length ?? 0));
}

const malformed = (what: string): Error => invalid('body', `the body has a malformed ${what}`, 'malformed-request');

class FixedFraming implements BodyFraming {
  #left: number;
  constructor(bytes: number) {
    this.#left = bytes;
  }
  get done(): boolean {
    return this.#left === 0;
  }
  push(bytes: Buffer, take: (content: Buffer) => void): number {
    const own = bytes.subarray(0, this.#left);
    if (own.length > 0) take(own);
    this.#left -= own.length;
    return own.length;
  }
}

const LINE_BYTES = 4096;
const TRAILER_LINES = 64;
const newline = 0x0a;

class ChunkedFraming implements BodyFraming {
  #phase: 'size' | 'data' | 'data-end' | 'trailer' | 'done' = 'size';
  #left = 0;
  /** A line that has not ended yet. */
  #line = '';
  #trailers = 0;

  get done(): boolean {
    return this.#phase === 'done';
  }

  push(bytes: Buffer, take: (content: Buffer) => void): number {
    let at = 0;
    while (at < bytes.length && this.#phase !== 'done') {
      if (this.#phase !== 'data') {
        at += this.#pushLine(bytes.subarray(at));
        continue;
      }
      const own = bytes.subarray(at, at + this.#left);
      take(own);
      at += own.length;
      this.#left -= own.length;
      if (this.#left === 0) this.#phase = 'data-end';
    }
    return at;
  }

  #pushLine(bytes: Buffer): number {
    const end = bytes.indexOf(newline);
    const length = end < 0 ? bytes.length : end + 1;
    if (this.#line.length + length > LINE_BYTES) throw malformed('chunk');
    this.#line += bytes.toString('latin1', 0, length);
    if (end >= 0) {
      const line = this.#line;
      this.#line = '';
      if (!line.endsWith('\r\n')) throw malformed('chunk');
      this.#takeLine(line.slice(0, -2));
    }
    return length;
  }

  #takeLine(line: string): void {
    if (this.#phase === 'data-end') {
      if (line !== '') throw malformed('chunk');
      this.#phase = 'size';
    } else if (this.#phase === 'size') {
      const size = /^([0-9a-f]{1,8})[ \t]*(?:;.*)?$/i.exec(line)?.[1];
      if (size === undefined) throw malformed('chunk');
      this.#left = Number.parseInt(size, 16);
      this.#phase = this.#left === 0 ? 'trailer' : 'data';
    } else {
      this.#trailers += 1;
      if (this.#trailers > TRAILER_LINES) throw malformed('chunk');
      if (line === '') this.#phase = 'done';
    }
  }
}
