/**
 * Reads what a container printed from Docker's own log and gives it on as lines, from where an earlier reader stopped: Docker numbers
 * nothing, so the place is a time to the nanosecond and how many entries of that time were taken.
 */
import type { Readable } from 'node:stream';
import { LineSplitter } from '../common/line-splitter.ts';
import type { DockerApi } from './api/docker-api.ts';
import { OutputFrames } from './api/frames.ts';
import type { Mark } from './notes.ts';

const newline = 0x0a;
const disorderSeconds = 2;
/**
 * Docker hands a long line on in pieces of this many bytes. The piece that ends the line is shorter, and the `local` driver leaves its
 * newline out. Source: moby, daemon/logger/copier.go and daemon/logger/local/read.go.
 */
const pieceBytes = 16 * 1024;
const lineEnd = Buffer.from('\n');

export interface ReadLine {
  readonly at: Date;
  readonly text: string;
}

export type Marks = Readonly<Record<'stdout' | 'stderr', Mark | null>>;

export interface OutputReaderOptions {
  readonly api: DockerApi;
  readonly container: string;
  readonly marks: Marks;
  /** Takes a batch; nothing more is read until it resolves. `marks` is the place after it. */
  readonly take: (lines: readonly ReadLine[], marks: Marks) => Promise<void>;
}

interface Output {
  readonly splitter: LineSplitter;
  /** The last entry that was met. */
  mark: Mark | null;
  /** The last entry that ended a line: where another reader would have to begin. */
  kept: Mark | null;
  /** Entries of the mark's time that were met again. */
  again: number;
  lastAt: Date;
}

export class OutputReader {
  readonly #options: OutputReaderOptions;
  readonly #outputs: Record<'stdout' | 'stderr', Output>;

  constructor(options: OutputReaderOptions) {
    this.#options = options;
    const output = (mark: Mark | null): Output => ({
      splitter: new LineSplitter(),
      mark,
      kept: mark,
      again: 0,
      lastAt: new Date(0),
    });
    this.#outputs = { stdout: output(options.marks.stdout), stderr: output(options.marks.stderr) };
  }

  /** Reads to the end of what is there, or with `follow` of what will be. Rejects when the daemon goes. */
  async read(follow: boolean, signal: AbortSignal): Promise<void> {
    const { api, container } = this.#options;
    for (const output of Object.values(this.#outputs)) output.again = 0;
    const since = this.#since();
    const query = { stdout: true, stderr: true, timestamps: true, follow, ...(since === null ? {} : { since }) };
    const stream = await api.stream('GET', `/containers/${container}/logs`, { query, signal });
    await this.#consume(stream);
  }

  /** The last lines, where they came without a newline. */
  async end(): Promise<void> {
    const lines = Object.values(this.#outputs).flatMap(({ splitter, lastAt }) =>
      splitter.end().map((text) => ({ at: lastAt, text })),
    );
    if (lines.length > 0) await this.#options.take(lines, this.#marks());
  }

  async #consume(stream: Readable): Promise<void> {
    const frames = new OutputFrames();
    for await (const chunk of stream) {
      const lines: ReadLine[] = [];
      for (const { source, payload } of frames.push(chunk as Buffer)) this.#take(this.#outputs[source], payload, lines);
      if (lines.length > 0) await this.#options.take(lines, this.#marks());
    }
  }

  #take(output: Output, payload: Buffer, lines: ReadLine[]): void {
    const space = payload.indexOf(0x20);
    const time = payload.toString('latin1', 0, space);
    const { mark } = output;
    if (mark !== null && time < mark.at) return;
    if (mark !== null && time === mark.at) {
      output.again += 1;
      if (output.again <= mark.count) return;
      output.mark = { at: time, count: mark.count + 1 };
    } else {
      output.mark = { at: time, count: 1 };
      output.again = 1;
    }
    output.lastAt = new Date(time);
    const bytes = payload.subarray(space + 1);
    const texts = output.splitter.push(bytes);
    const isLine = bytes.at(-1) === newline;
    const endsLine = isLine || bytes.length < pieceBytes;
    if (endsLine && !isLine) texts.push(...output.splitter.push(lineEnd));
    for (const text of texts) lines.push({ at: output.lastAt, text });
    if (endsLine) output.kept = output.mark;
  }

  #marks(): Marks {
    return { stdout: this.#outputs.stdout.kept, stderr: this.#outputs.stderr.kept };
  }

  /** Seconds; null from the beginning. Entries of the two outputs may stand in the log a little out of order. */
  #since(): number | null {
    const times = Object.values(this.#outputs).flatMap(({ mark }) => (mark === null ? [] : [Date.parse(mark.at)]));
    return times.length === 0 ? null : Math.floor(Math.max(...times) / 1_000) - disorderSeconds;
  }
}
