/** One worker seen from the primary: its process, the questions put to it, and its end. */
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { run, start } from '../lib/exec.ts';
import type { CountersByApp } from './counters.ts';
import { accessLogFd, type FromWorker, httpFd, httpsFd, type ToWorker } from './worker-messages.ts';

type Question = Extract<ToWorker, { request: number }>;
type Answer = Extract<FromWorker, { request: number }>;
/** A question without its number. */
export type Ask = { [K in Question['kind']]: Omit<Extract<Question, { kind: K }>, 'request'> }[Question['kind']];

export interface WorkerProcessOptions {
  /** File descriptors of the bound sockets; null: no HTTPS. */
  readonly http: number;
  readonly https: number | null;
  /** Where compiled code is kept between starts. */
  readonly compileCache: string;
  readonly init: Extract<ToWorker, { kind: 'init' }>;
  onReady(): void;
  onExit(reason: string): void;
  onBadCertificate(hosts: readonly string[], reason: string): void;
  onAccessLog(pipe: Readable): void;
}

const program = fileURLToPath(new URL('./worker-main.ts', import.meta.url));
const nodeFlags = [
  '--max-old-space-size=512',
  '--max-semi-space-size=4',
  '--v8-pool-size=1',
  '--disable-warning=ExperimentalWarning',
];

const warmMs = 20_000;

/**
 * Compiles the workers' code into the cache. A worker that finds it there never loads the compiler, which would stay in its memory (some 25 MB
 * each) for as long as it lives.
 */
export async function warmWorkerCode(compileCache: string): Promise<void> {
  await run([process.execPath, ...nodeFlags, program], {
    environment: workerEnvironment(compileCache),
    timeoutMs: warmMs,
  });
}

function workerEnvironment(compileCache: string): Readonly<Record<string, string>> {
  return { NODE_COMPILE_CACHE: compileCache, UV_THREADPOOL_SIZE: '2' };
}

export class WorkerProcess {
  /** Counters as far as they are known. */
  counters: CountersByApp = {};
  gone = false;
  readonly #child: ReturnType<typeof start>;
  readonly #open = new Map<number, (answer: Answer | null) => void>();
  #lastRequest = 0;
  #reason = '';

  constructor(options: WorkerProcessOptions) {
    const stdio: ('ignore' | 'inherit' | 'ipc' | 'pipe' | number)[] = ['ignore', 'inherit', 'inherit', 'ipc'];
    stdio[accessLogFd] = 'pipe';
    stdio[httpFd] = options.http;
    if (options.https !== null) stdio[httpsFd] = options.https;
    this.#child = start([process.execPath, ...nodeFlags, program], {
      environment: workerEnvironment(options.compileCache),
      stdio,
    });
    const pipe = this.#child.stdio[accessLogFd];
    if (pipe !== null && pipe !== undefined) options.onAccessLog(pipe as Readable);
    this.#child.on('message', (message) => this.#receive(message as FromWorker, options));
    this.#child.once('error', (error) => this.#end(error.message, options));
    this.#child.once('exit', (code, signal) => this.#end(this.#reason || `exit ${signal ?? code}`, options));
    this.#send(options.init);
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** The answer, or null when the worker ended or was silent for `timeoutMs`. */
  ask(question: Ask, timeoutMs: number): Promise<Answer | null> {
    if (this.gone) return Promise.resolve(null);
    const request = ++this.#lastRequest;
    return new Promise((resolve) => {
      const timer = setTimeout(() => settle(null), timeoutMs);
      const settle = (answer: Answer | null): void => {
        clearTimeout(timer);
        this.#open.delete(request);
        resolve(answer);
      };
      this.#open.set(request, settle);
      this.#send({ ...question, request } as Question);
    });
  }

  /** Asks it to finish what is in flight and end. */
  stop(): void {
    this.#send({ kind: 'stop' });
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #send(message: ToWorker): void {
    if (this.#child.connected) this.#child.send(message, () => {});
  }

  #receive(message: FromWorker, options: WorkerProcessOptions): void {
    switch (message.kind) {
      case 'ready':
        options.onReady();
        break;
      case 'failed':
        this.#reason = message.reason;
        break;
      case 'report':
        this.counters = message.counters;
        break;
      case 'bad-certificate':
        options.onBadCertificate(message.hosts, message.reason);
        break;
      default:
        if (message.kind === 'counters') this.counters = message.counters;
        this.#open.get(message.request)?.(message);
    }
  }

  #end(reason: string, options: WorkerProcessOptions): void {
    if (this.gone) return;
    this.gone = true;
    for (const settle of [...this.#open.values()]) settle(null);
    options.onExit(reason);
  }
}
