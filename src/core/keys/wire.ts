/** Reads the SSH wire format (RFC 4251, section 5): each part is a length of four bytes and as many bytes. */

/** Hands out the parts of a blob one after another. Throws a RangeError when the blob ends within one. */
export class WireReader {
  readonly #bytes: Buffer;
  #at = 0;
  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get atEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  string(): Buffer {
    const start = this.#at + 4;
    const end = start + this.#bytes.readUInt32BE(this.#at);
    if (end > this.#bytes.length) throw new RangeError('a part is longer than the blob');
    this.#at = end;
    return this.#bytes.subarray(start, end);
  }

  /** A positive number as its bytes, highest first, without leading zeros. Throws a RangeError when it is not written in its shortest form. */
  positive(): Buffer {
    const bytes = this.string();
    const [first = 0, second = 0] = bytes;
    if (bytes.length === 0 || first >= 0x80) throw new RangeError('a number is not positive');
    if (first !== 0) return bytes;
    // A zero may only keep the next byte from being read as a sign; a second spelling would give the same key another fingerprint.
    if (second < 0x80) throw new RangeError('a number has needless zeros');
    return bytes.subarray(1);
  }
}
