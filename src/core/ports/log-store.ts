/**
 * Log lines by stream: `apps/<app id>` for an app's log, `builds/<build id>` for a build's. Append-only segments with retention;
 * several processes append to one stream at once. Reading never blocks writing.
 */
export type LogSource = 'app' | 'router' | 'build' | 'platform' | 'event';

export interface LogLine {
  readonly at: Date;
  readonly source: LogSource;
  /** Process type, or '' for the platform's own lines. */
  readonly process: string;
  /** Instance id, or ''. */
  readonly instance: string;
  /** The lasting seat that the instance filled, or '': its lines are found by it when the instance is gone. */
  readonly seat: string;
  /** One line without its newline; bytes that are not UTF-8 arrive as U+FFFD. */
  readonly text: string;
}

export interface LogFilter {
  readonly source?: LogSource;
  readonly process?: string;
  readonly instance?: string;
  readonly seat?: string;
  /** For what the others cannot say; asked last. */
  readonly accepts?: (line: LogLine) => boolean;
}

export interface LogReadOptions {
  /** The last so many matching lines first. */
  readonly lines: number;
  /** Then go on with new ones until the signal aborts. */
  readonly follow: boolean;
  readonly filter?: LogFilter;
  readonly signal?: AbortSignal;
}

export interface LogBatch {
  readonly lines: readonly LogLine[];
  /** So many before them were left out. */
  readonly dropped: number;
}

export type LogBatches = AsyncIterable<LogBatch>;

export interface LogStore {
  append(stream: string, lines: readonly LogLine[]): Promise<void>;
  /**
   * Batches of lines in order. A follower gets every line that is appended after the promise resolved: who waits for it may then cause
   * what he wants to read. A reader that is too slow loses the oldest, and is told how many by `dropped`.
   */
  read(stream: string, options: LogReadOptions): Promise<LogBatches>;
  remove(stream: string): Promise<void>;
}
