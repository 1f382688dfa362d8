/** What a simulated command does. No process runs: a behaviour is a function that talks through the given handles. */
import type { Readable, Writable } from 'node:stream';

export interface SimulatedProcess {
  /** The command's words; a command given as one text is split at blanks. */
  readonly argv: readonly string[];
  /** In clear; `$PORT` is in it where there is one. */
  readonly environment: Readonly<Record<string, string>>;
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** Ends it; later calls change nothing. */
  exit(code: number): void;
  /** Returns true when it handled the signal; otherwise the signal ends it. SIGKILL is never asked about. */
  onSignal(handler: (signal: string) => boolean): void;
  /** Answers HTTP at its port from now on. */
  listen(): Promise<void>;
}

export type Behaviour = (process: SimulatedProcess) => void | Promise<void>;

/** What a command does that nobody described: it listens and says so. */
export const listens: Behaviour = async (process) => {
  await process.listen();
  if (process.environment.PORT !== undefined) process.stdout.write(`listening on ${process.environment.PORT}\n`);
};

/** What an exec or a job does that nobody described: it ends well at once. */
export const succeeds: Behaviour = (process) => process.exit(0);
