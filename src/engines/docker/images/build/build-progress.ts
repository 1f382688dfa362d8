/**
 * Tells a build by BuildKit in lines, in the look of Docker's own plain progress: each step has a number, as several run at once. What
 * the daemon does for itself is left out unless it fails. Holds a line per step at most.
 */
import { LineSplitter } from '../../../common/line-splitter.ts';
import type { Moment, Progress, Vertex } from './buildkit-messages.ts';

interface Step {
  readonly number: number;
  readonly output: LineSplitter;
  isStarted: boolean;
  isOver: boolean;
}

/** Steps of the daemon's own. */
const own = /^(?:\[internal\]|copy \/context \/$)/;

export class BuildProgress {
  readonly #log: (line: string) => void;
  readonly #steps = new Map<string, Step>();
  readonly #told = new Set<string>();

  constructor(log: (line: string) => void) {
    this.#log = log;
  }

  take({ vertexes, statuses, logs }: Progress): void {
    for (const vertex of vertexes) if (vertex.started !== null) this.#begin(vertex);
    for (const { vertex, msg } of logs) this.#print(vertex, (output) => output.push(msg));
    for (const { ID, vertex, completed } of statuses) if (completed !== null) this.#tellOnce(vertex, ID);
    for (const vertex of vertexes) if (vertex.completed !== null) this.#end(vertex);
  }

  #begin({ digest, name }: Vertex): void {
    const step = this.#steps.get(digest);
    if (step?.isStarted === true) return;
    const number = step?.number ?? this.#steps.size + 1;
    if (own.test(name)) return;
    this.#steps.set(digest, { number, output: new LineSplitter(), isStarted: true, isOver: false });
    this.#log(`#${number} ${name}`);
  }

  #print(digest: string, lines: (output: LineSplitter) => string[]): void {
    const step = this.#steps.get(digest);
    if (step === undefined) return;
    // What a progress bar wrote over is gone.
    for (const line of lines(step.output)) this.#log(`#${step.number} ${line.slice(line.lastIndexOf('\r') + 1)}`);
  }

  #tellOnce(digest: string, what: string): void {
    const key = `${digest} ${what}`;
    if (this.#told.has(key)) return;
    this.#told.add(key);
    this.#print(digest, () => [`${what} done`]);
  }

  #end(vertex: Vertex): void {
    const step = this.#steps.get(vertex.digest);
    if (step === undefined || step.isOver) return;
    step.isOver = true;
    this.#print(vertex.digest, (output) => output.end());
    this.#log(`#${step.number} ${outcome(vertex)}`);
  }
}

function outcome({ error, cached, started, completed }: Vertex): string {
  if (error !== '') return `ERROR: ${error}`;
  return cached ? 'CACHED' : `DONE ${(seconds(completed) - seconds(started)).toFixed(1)}s`;
}

const seconds = (moment: Moment): number => (moment === null ? 0 : moment.seconds + moment.nanos / 1e9);
