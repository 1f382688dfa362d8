/**
 * Reads what a container printed from Docker's own log and gives it on as lines, from where an earlier reader stopped: Docker numbers
 * nothing, so the place is a time to the nanosecond and how many entries of that time were taken.
 */
import type { Readable } from 'node:stream';
import { LineSplitter } from '../common/line-splitter.ts';
import type { DockerApi, Query } from './api/docker-api.ts';
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

/** The daemon answers, and cannot read its log of the container. The message is the daemon's. */
export class OutputUnreadable extends Error {}

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
  /** How many entries of the mark's time were met again since reading began; null: all after here is new. */
  again: number | null;
  lastAt: Date;
}

export class OutputReader {
  readonly #options: OutputReaderOptions;
  readonly #outputs: Record<'stdout' | 'stderr', Output>;
  /** The latest time of any entry that was met; '' before the first. */
  #latest = '';
  #taken = 0;

  constructor(options: OutputReaderOptions) {
    this.#options = options;
    const output = (mark: Mark | null): Output => ({
      splitter: new LineSplitter(),
      mark,
      kept: mark,
      again: null,
      lastAt: new Date(0),
    });
    this.#outputs = { stdout: output(options.marks.stdout), stderr: output(options.marks.stderr) };
    for (const mark of Object.values(options.marks)) {
      const latest = mark?.latest ?? mark?.at ?? '';
      if (latest > this.#latest) this.#latest = latest;
    }
  }

  /** How many lines it gave on. */
  get taken(): number {
    return this.#taken;
  }

  /**
   * Reads to the end of what is there, or with `follow` of what will be. Rejects with OutputUnreadable where the daemon's log is damaged, else
   * when the daemon goes.
   */
  async read(follow: boolean, signal: AbortSignal): Promise<void> {
    for (const output of Object.values(this.#outputs)) output.again = output.mark === null ? null : 0;
    const since = this.#since();
    await this.#ask({ follow, ...(since === null ? {} : { since }) }, signal);
  }

  /** As `read` with `follow`, from what is printed now on. */
  async readOn(signal: AbortSignal): Promise<void> {
    for (const output of Object.values(this.#outputs)) output.again = null;
    await this.#ask({ follow: true, tail: 0 }, signal);
  }

  /** The last lines, where they came without a newline. */
  async end(): Promise<void> {
    const lines = Object.values(this.#outputs).flatMap(({ splitter, lastAt }) =>
      splitter.end().map((text) => ({ at: lastAt, text })),
    );
    if (lines.length > 0) await this.#options.take(lines, this.#marks());
  }

  async #ask(which: Query, signal: AbortSignal): Promise<void> {
    const { api, container } = this.#options;
    const query = { stdout: true, stderr: true, timestamps: true, ...which };
    await this.#consume(await api.stream('GET', `/containers/${container}/logs`, { query, signal }));
  }

  async #consume(stream: Readable): Promise<void> {
    const frames = new OutputFrames();
    for await (const chunk of stream) {
      const lines: ReadLine[] = [];
      let trouble: string | null = null;
      for (const { source, payload } of frames.push(chunk as Buffer)) {
        if (source === 'daemon') trouble = payload.toString().trim();
        else this.#take(this.#outputs[source], payload, lines);
      }
      this.#taken += lines.length;
      if (lines.length > 0) await this.#options.take(lines, this.#marks());
      if (trouble !== null) throw new OutputUnreadable(trouble);
    }
  }

  #take(output: Output, payload: Buffer, lines: ReadLine[]): void {
    const space = payload.indexOf(0x20);
    const time = payload.toString('latin1', 0, space);
    if (!isNew(output, time)) return;
    const { mark } = output;
    if (time > this.#latest) this.#latest = time;
    const isLatest = this.#latest === time;
    const count = time === mark?.at ? mark.count + 1 : 1;
    output.mark = isLatest ? { at: time, count } : { at: time, count, latest: this.#latest };
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

  /**
   * Seconds; null from the beginning. Entries of the two outputs may stand in the log a little out of order. Where the clock was set back,
   * the place of each is looked for.
   */
  #since(): number | null {
    const marks = Object.values(this.#outputs).flatMap(({ mark }) => mark ?? []);
    if (marks.length === 0) return null;
    const seconds = (time: string): number => Math.floor(Date.parse(time) / 1_000);
    const isSetBack = marks.some(({ at, latest = at }) => seconds(latest) - seconds(at) > disorderSeconds);
    const times = marks.map(({ at }) => seconds(at));
    return (isSetBack ? Math.min(...times) : Math.max(...times)) - disorderSeconds;
  }
}

/**
 * Whether an entry of this time comes after the mark's place. Entries of one output stand in the order in which they were printed, whatever
 * the clock said; only when the place itself is not there any more does the time decide.
 */
function isNew(output: Output, time: string): boolean {
  const { mark, again } = output;
  if (mark === null || again === null) return true;
  if (again < mark.count) {
    if (time === mark.at) output.again = again + 1;
    if (time <= (mark.latest ?? mark.at)) return false;
  }
  output.again = null;
  return true;
}
