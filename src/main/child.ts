/** One supervised process of `berth up`: started, watched, started again when it dies, stopped on request. */
import type { ChildProcess } from 'node:child_process';
import { start } from '../lib/exec.ts';
import type { Logger } from '../lib/logger.ts';

export interface ChildOptions {
  readonly name: string;
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly logger: Logger;
}

const FIRST_RETRY_MS = 100;
const MAX_RETRY_MS = 5_000;
const STABLE_MS = 2_000;

export class SupervisedChild {
  readonly #options: ChildOptions;
  #child: ChildProcess | null = null;
  #stopping = false;
  #retryMs = FIRST_RETRY_MS;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: ChildOptions) {
    this.#options = options;
  }

  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  /** Its own group: a Ctrl-C on the terminal reaches the supervisor only, which stops the parts in order. */
  start(): void {
    const { argv, environment, logger, name } = this.#options;
    const startedAt = performance.now();
    const child = start(argv, { environment, ownGroup: true, stdio: ['pipe', 'inherit', 'inherit'] });
    this.#child = child;
    // The pipe is never written to: the child ends when it closes, so that it does not outlive a supervisor that was killed.
    child.stdin?.on('error', () => {});
    child.once('error', (error) => logger.error({ err: error, process: name }, 'could not be started'));
    child.once('close', (code, signal) => {
      if (this.#child === child) this.#child = null;
      if (this.#stopping) return;
      if (performance.now() - startedAt > STABLE_MS) this.#retryMs = FIRST_RETRY_MS;
      logger.warn(
        { process: name, code, signal, againInMs: this.#retryMs },
        'a part of the platform ended and is started again',
      );
      this.#timer = setTimeout(() => this.start(), this.#retryMs);
      this.#retryMs = Math.min(MAX_RETRY_MS, this.#retryMs * 2);
    });
  }

  /** Resolves when it is gone; killed when it takes longer than `patienceMs`. */
  async stop(signal: NodeJS.Signals, patienceMs: number): Promise<void> {
    this.#stopping = true;
    if (this.#timer) clearTimeout(this.#timer);
    const child = this.#child;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise<void>((resolve) => child.once('close', () => resolve()));
    child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), patienceMs);
    await gone;
    clearTimeout(timer);
  }
}
