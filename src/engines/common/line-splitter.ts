/** Cuts a byte stream into lines of text, whatever the bytes. A line over the limit is split, never inside a UTF-8 character. */

const newline = 0x0a;
const carriageReturn = 0x0d;

export class LineSplitter {
  readonly #limit: number;
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  #parts: Buffer[] = [];
  #held = 0;

  /** `limit` in bytes. */
  constructor(limit = 64 * 1024) {
    this.#limit = limit;
  }

  /** Complete lines so far, without their newline; bytes that are not UTF-8 become U+FFFD. */
  push(chunk: Buffer): string[] {
    const lines: string[] = [];
    let from = 0;
    for (;;) {
      const at = chunk.indexOf(newline, from);
      this.#hold(chunk.subarray(from, at === -1 ? chunk.length : at), lines);
      if (at === -1) return lines;
      lines.push(this.#take(true));
      from = at + 1;
    }
  }

  /** The last line, when it came without a newline. */
  end(): string[] {
    return this.#held === 0 ? [] : [this.#take(false)];
  }

  #hold(bytes: Buffer, lines: string[]): void {
    if (bytes.length === 0) return;
    this.#parts.push(bytes);
    this.#held += bytes.length;
    while (this.#held > this.#limit) {
      const all = Buffer.concat(this.#parts);
      const cut = characterStart(all, this.#limit);
      lines.push(this.#decoder.decode(all.subarray(0, cut)));
      this.#parts = [all.subarray(cut)];
      this.#held = all.length - cut;
    }
  }

  #take(complete: boolean): string {
    const [only] = this.#parts;
    let all = this.#parts.length === 1 && only !== undefined ? only : Buffer.concat(this.#parts);
    this.#parts = [];
    this.#held = 0;
    if (complete && all.at(-1) === carriageReturn) all = all.subarray(0, -1);
    return this.#decoder.decode(all);
  }
}

/** The last place at or before `at` where a character begins (continuation bytes are 10xxxxxx). */
function characterStart(bytes: Buffer, at: number): number {
  for (let back = 0; back < 4; back++) {
    if (((bytes[at - back] ?? 0) & 0xc0) !== 0x80) return at - back;
  }
  return at;
}
