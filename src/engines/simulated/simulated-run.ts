/** One run of a behaviour: instance, exec or job. Owns its streams, its listener and how it ended. */
import { createServer, type Server } from 'node:http';
import { PassThrough } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { ExecSession, InstanceExit } from '../../core/ports/engine.ts';
import type { Behaviour, SimulatedProcess } from './behaviour.ts';

export interface RunInput {
  readonly command: string | readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly behaviour: Behaviour;
  readonly terminal: boolean;
  /** The body of its HTTP answers; null where it has no port. */
  readonly answer: string | null;
  readonly now: () => Date;
}

export class SimulatedRun {
  readonly stdin = new PassThrough();
  readonly stdout = new PassThrough();
  readonly stderr = new PassThrough();
  readonly ended: Promise<InstanceExit>;
  /** The HTTP answer's status is 503 while false. */
  ready = true;
  readonly #input: RunInput;
  readonly #resolve: (exit: InstanceExit) => void;
  #exit: InstanceExit | null = null;
  #server: Server | null = null;
  #onSignal: (signal: string) => boolean = () => false;
  readonly #port: Promise<number | null>;

  constructor(input: RunInput) {
    this.#input = input;
    const ended = Promise.withResolvers<InstanceExit>();
    this.ended = ended.promise;
    this.#resolve = ended.resolve;
    this.#port = input.answer === null ? Promise.resolve(null) : this.#reserve(input.answer);
  }

  get exit(): InstanceExit | null {
    return this.#exit;
  }

  /** The port that is kept for it on 127.0.0.1; null where it has none. */
  get port(): Promise<number | null> {
    return this.#port;
  }

  /** Runs the behaviour; a behaviour that throws ends it with code 1. */
  async start(): Promise<void> {
    const { command, environment, behaviour } = this.#input;
    const port = await this.#port;
    if (this.#exit !== null) return;
    const process: SimulatedProcess = {
      argv: typeof command === 'string' ? command.split(' ') : command,
      environment: port === null ? environment : { ...environment, PORT: String(port) },
      stdin: this.stdin,
      stdout: this.stdout,
      stderr: this.#input.terminal ? this.stdout : this.stderr,
      exit: (code) => this.end({ code, signal: null }),
      onSignal: (handler) => {
        this.#onSignal = handler;
      },
      listen: async () => {
        this.#listening = true;
      },
    };
    try {
      await behaviour(process);
    } catch {
      this.end({ code: 1, signal: null });
    }
  }

  #listening = false;

  signal(signal: string): void {
    if (this.#exit !== null) return;
    if (signal !== 'SIGKILL' && this.#onSignal(signal)) return;
    this.end({ code: null, signal });
  }

  /** SIGTERM, then SIGKILL after `graceMs`. */
  async stop(graceMs: number): Promise<void> {
    if (graceMs > 0) {
      this.signal('SIGTERM');
      const cancel = new AbortController();
      await Promise.race([this.ended, delay(graceMs, undefined, { signal: cancel.signal }).catch(() => {})]);
      cancel.abort();
    }
    this.signal('SIGKILL');
    await this.ended;
  }

  end(exit: Partial<InstanceExit>): void {
    if (this.#exit !== null) return;
    const none = { code: null, signal: null, outOfMemory: false, timedOut: false, startError: null };
    this.#exit = { ...none, ...exit, at: this.#input.now() };
    this.#server?.close();
    this.#server?.closeAllConnections();
    this.stdout.end();
    this.stderr.end();
    this.stdin.destroy();
    this.#resolve(this.#exit);
  }

  session(): ExecSession {
    return {
      stdin: this.stdin,
      stdout: this.stdout,
      stderr: this.#input.terminal ? null : this.stderr,
      exit: this.ended,
      resize: async () => {},
      kill: async (signal) => this.signal(signal),
    };
  }

  /** Something true for routers and health checks: connections are refused by answer until the behaviour listens. */
  async #reserve(answer: string): Promise<number> {
    const server = createServer((_request, response) => {
      if (!this.#listening) return response.socket?.destroy();
      response.writeHead(this.ready ? 200 : 503, { 'content-type': 'text/plain' });
      return response.end(answer);
    });
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    server.unref();
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }
}
