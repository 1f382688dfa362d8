/**
 * Appends to one stream. Several processes may do so at once: a batch of whole records is one write() to a file opened for appending,
 * which the kernel keeps in one piece. Calls made while a write is under way share the next one.
 */
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { tornMark } from './record.ts';
import { listSegments, segmentPath } from './segments.ts';

interface Batch {
  readonly parts: string[];
  readonly written: PromiseWithResolvers<void>;
}

/** Bytes of one write() at most; a bigger batch takes several. */
const writeBytes = 256 * 1024;
const newline = 0x0a;

export interface StreamWriterOptions {
  readonly folder: string;
  /** A segment that has grown to it gets no further batch. */
  readonly segmentBytes: number;
  /** Called after a new segment was begun. */
  readonly onRoll: () => void;
}

export class StreamWriter {
  readonly #options: StreamWriterOptions;
  #segment: { readonly handle: FileHandle; readonly number: number } | null = null;
  #next: Batch | null = null;
  #loop: Promise<void> | null = null;

  constructor(options: StreamWriterOptions) {
    this.#options = options;
  }

  get isIdle(): boolean {
    return this.#loop === null;
  }

  /** Writes whole records, each with its newline; resolves once the kernel has them, rejects when the disk refuses. */
  append(records: string): Promise<void> {
    this.#next ??= { parts: [], written: Promise.withResolvers<void>() };
    const batch = this.#next;
    batch.parts.push(records);
    this.#loop ??= this.#run();
    return batch.written.promise;
  }

  /** Resolves when everything given so far is written and the file is closed. The writer may be used again. */
  async close(): Promise<void> {
    while (this.#loop !== null) await this.#loop;
    await this.#release();
  }

  async #run(): Promise<void> {
    // One turn of the event loop gathers the callers of this moment into one write.
    await Promise.resolve();
    for (let batch = this.#next; batch !== null; batch = this.#next) {
      this.#next = null;
      try {
        await this.#write(Buffer.from(batch.parts.join('')));
        batch.written.resolve();
      } catch (error) {
        await this.#release();
        batch.written.reject(error);
      }
    }
    this.#loop = null;
  }

  async #write(bytes: Buffer): Promise<void> {
    for (let from = 0; from < bytes.length; ) {
      const to = endOfRecords(bytes, from);
      const handle = await this.#ready();
      const { bytesWritten } = await handle.write(bytes, from, to - from);
      if (bytesWritten === to - from) {
        from = to;
        continue;
      }
      // A disk that filled up: whatever another process appends must not look like the rest of our record.
      if (bytesWritten > 0 && bytes[from + bytesWritten - 1] !== newline) await handle.write(`${tornMark}\n`);
      from = bytesWritten === 0 ? from : bytes.lastIndexOf(newline, from + bytesWritten - 1) + 1 || from;
      if (bytesWritten === 0) throw new Error('the log file takes no more bytes');
    }
  }

  /** The handle of a segment that has room and is still in its folder. */
  async #ready(): Promise<FileHandle> {
    for (;;) {
      if (this.#segment === null) {
        this.#segment = await this.#openNewest();
        continue;
      }
      const { handle, number } = this.#segment;
      const { size, nlink } = await handle.stat();
      if (nlink > 0 && size < this.#options.segmentBytes) return handle;
      await this.#release();
      if (nlink === 0) continue;
      // Another process may be ahead of us by several segments, the ones between already pruned.
      const newest = (await listSegments(this.#options.folder)).at(-1) ?? 0;
      if (newest > number) continue;
      this.#segment = await this.#open(number + 1);
      this.#options.onRoll();
    }
  }

  async #openNewest(): Promise<{ handle: FileHandle; number: number }> {
    await mkdir(this.#options.folder, { recursive: true, mode: 0o700 });
    return this.#open((await listSegments(this.#options.folder)).at(-1) ?? 1);
  }

  async #open(number: number): Promise<{ handle: FileHandle; number: number }> {
    const handle = await open(segmentPath(this.#options.folder, number), 'a+', 0o600);
    const { size } = await handle.stat();
    if (size > 0) {
      const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, size - 1);
      // Cut off by a crash of the machine. When it is another process amid its write, the mark lands after that and is a line of its own.
      if (buffer[0] !== newline) await handle.write(`${tornMark}\n`);
    }
    return { handle, number };
  }

  async #release(): Promise<void> {
    const segment = this.#segment;
    this.#segment = null;
    await segment?.handle.close();
  }
}

/** Where to end one write that begins at `from`: after the last whole record within `writeBytes`, or after the first when it is longer. */
function endOfRecords(bytes: Buffer, from: number): number {
  if (bytes.length - from <= writeBytes) return bytes.length;
  const last = bytes.lastIndexOf(newline, from + writeBytes - 1);
  return (last > from ? last : bytes.indexOf(newline, from)) + 1;
}
