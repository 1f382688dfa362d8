/** Small stream parts: counting, limiting, hashing, collecting. None holds more than a chunk unless its name says so. */
import { createHash } from 'node:crypto';
import { Transform } from 'node:stream';

/** A stream went over its limit. */
export class LimitExceeded extends Error {
  readonly maxBytes: number;
  constructor(maxBytes: number) {
    super(`more than ${maxBytes} bytes`);
    this.name = 'LimitExceeded';
    this.maxBytes = maxBytes;
  }
}

/** Passes bytes on until there are more than `maxBytes`, then fails with LimitExceeded. */
export function limitBytes(maxBytes: number): Transform {
  let seen = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      seen += chunk.length;
      if (seen > maxBytes) done(new LimitExceeded(maxBytes));
      else done(null, chunk);
    },
  });
}

export interface Meter {
  readonly through: Transform;
  /** Bytes so far. */
  sizeBytes(): number;
  /** SHA-256 so far as lower-case hex; to be called once, after the end. */
  sha256(): string;
}

/** Passes bytes on while counting and hashing them. */
export function meterBytes(): Meter {
  const hash = createHash('sha256');
  let seen = 0;
  const through = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      seen += chunk.length;
      hash.update(chunk);
      done(null, chunk);
    },
  });
  return { through, sizeBytes: () => seen, sha256: () => hash.digest('hex') };
}

/** Reads a stream whole; fails with LimitExceeded above `maxBytes`. */
export async function collectBytes(stream: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let seen = 0;
  for await (const chunk of stream) {
    seen += chunk.length;
    if (seen > maxBytes) throw new LimitExceeded(maxBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
