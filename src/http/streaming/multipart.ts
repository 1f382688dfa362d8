/** Reads `multipart/form-data` part by part as it comes (RFC 7578), so that no part has to fit into memory. */
import { invalid } from '../../core/errors.ts';

export interface Part {
  readonly name: string;
  /** Null for a plain field. */
  readonly fileName: string | null;
  /** To be read to its end before the next part is asked for; what is left unread is skipped. */
  readonly bytes: AsyncIterable<Buffer>;
}

const HEADERS_BYTES = 16 * 1024;
const lineEnd = Buffer.from('\r\n');
const headersEnd = Buffer.from('\r\n\r\n');

/** Throws `invalid` for another content type, and for a body that is malformed or breaks off. */
export async function* readMultipart(
  contentType: string | undefined,
  body: AsyncIterable<Uint8Array>,
): AsyncGenerator<Part> {
  const [, quoted, plain] =
    /^multipart\/form-data\s*;.*?boundary=(?:"([^"]{1,200})"|([^\s;"]{1,200}))/i.exec(contentType ?? '') ?? [];
  const boundary = quoted ?? plain;
  if (boundary === undefined) throw malformed('is not multipart/form-data');
  const input = new Input(body, Buffer.from(`\r\n--${boundary}`, 'latin1'));
  await skip(input.untilDelimiter());
  while (await input.hasPart()) {
    const headers = await input.headers();
    const bytes = input.untilDelimiter();
    yield { ...disposition(headers), bytes };
    await skip(bytes);
  }
}

/** The bytes not looked at yet, cut at delimiters. */
class Input {
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #delimiter: Buffer;
  /** The first delimiter may stand at the very beginning, without the line end of the others. */
  #bytes = Buffer.from(lineEnd);

  constructor(body: AsyncIterable<Uint8Array>, delimiter: Buffer) {
    this.#source = body[Symbol.asyncIterator]();
    this.#delimiter = delimiter;
  }

  /** All before the next delimiter, and steps over that. */
  async *untilDelimiter(): AsyncGenerator<Buffer> {
    for (;;) {
      const at = this.#bytes.indexOf(this.#delimiter);
      if (at >= 0) {
        const last = this.#bytes.subarray(0, at);
        this.#bytes = this.#bytes.subarray(at + this.#delimiter.length);
        if (last.length > 0) yield last;
        return;
      }
      const safe = this.#bytes.length - this.#delimiter.length + 1;
      if (safe > 0) {
        const ready = this.#bytes.subarray(0, safe);
        this.#bytes = this.#bytes.subarray(safe);
        yield ready;
      }
      await this.#more();
    }
  }

  /** After a delimiter: whether a part follows. */
  async hasPart(): Promise<boolean> {
    while (this.#bytes.length < 2) await this.#more();
    if (this.#bytes.toString('latin1', 0, 2) === '--') return false;
    const end = await this.#find(lineEnd);
    if (this.#bytes.toString('latin1', 0, end).trim() !== '') throw malformed('has a malformed delimiter');
    // The line end stays: a part without headers begins with another one.
    this.#bytes = this.#bytes.subarray(end);
    return true;
  }

  async headers(): Promise<string> {
    const end = await this.#find(headersEnd);
    const text = this.#bytes.toString('utf8', 0, end);
    this.#bytes = this.#bytes.subarray(end + headersEnd.length);
    return text;
  }

  async #find(mark: Buffer): Promise<number> {
    for (;;) {
      const at = this.#bytes.indexOf(mark);
      if (at >= 0) return at;
      if (this.#bytes.length > HEADERS_BYTES) throw malformed('has too long headers');
      await this.#more();
    }
  }

  async #more(): Promise<void> {
    const { done, value } = await this.#source.next();
    if (done === true) throw malformed('broke off');
    this.#bytes = Buffer.concat([this.#bytes, value]);
  }
}

function disposition(headers: string): Pick<Part, 'name' | 'fileName'> {
  const line = /^content-disposition:\s*form-data(.*)$/im.exec(headers)?.[1];
  if (line === undefined) throw malformed('has a part without a name');
  const parameter = (name: string): string | null => {
    const found = new RegExp(`;\\s*${name}=(?:"((?:[^"\\\\]|\\\\.)*)"|([^\\s;"]+))`, 'i').exec(line);
    return found === null ? null : (found[1] ?? found[2] ?? '').replace(/\\(["\\])/g, '$1');
  };
  return { name: parameter('name') ?? '', fileName: parameter('filename') };
}

async function skip(bytes: AsyncIterable<Buffer>): Promise<void> {
  for await (const _piece of bytes);
}

const malformed = (what: string): Error => invalid('body', `the body ${what}`, 'malformed-request');
