/**
 * git's two services for who may use them, whatever door they come through: `receive-pack` takes a push and deploys it, `upload-pack` gives back
 * what was pushed. Packs flow through in both directions and are never held here.
 */
import type { ChildProcess } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import type { Actor } from '../core/access/actor.ts';
import type { AppView } from '../core/apps/app.ts';
import { BerthError } from '../core/errors.ts';
import { signalGroup } from '../lib/exec.ts';
import type { Logger } from '../lib/logger.ts';
import { type DeployParts, deployPush } from './deploy-push.ts';
import { gitError } from './git-program.ts';
import type { PushDesk } from './push-desk.ts';
import type { Repositories } from './repositories.ts';
import { Seats } from './seats.ts';

export type GitServiceName = 'receive-pack' | 'upload-pack';

export interface GitServerOptions extends Omit<DeployParts, 'closing'> {
  readonly repositories: Repositories;
  readonly desk: PushDesk;
  readonly logger: Logger;
}

/** A service that the actor may use on this app. */
export interface GitCall {
  readonly actor: Actor;
  readonly app: AppView;
  readonly repository: string;
  readonly service: GitServiceName;
}

export interface GitStreams {
  readonly input: Readable;
  /** Is not ended. When it closes early a push goes on and a fetch ends. */
  readonly output: Writable;
  /** What git says beside the protocol. */
  readonly errors?: Writable;
}

export interface GitMode {
  /** `whole`: one connection for all of it. `advertise` and `answer`: the two requests of HTTP. */
  readonly part: 'whole' | 'advertise' | 'answer';
  /** What the client asked for in `Git-Protocol`. */
  readonly protocol?: string | undefined;
}

/** Each waits for its build, with two processes. */
const PUSHES_MAX = 8;
const FETCHES_MAX = 8;
/** Of one person, so that nobody takes all. */
const OF_ONE_MAX = 4;
/** A client that says nothing for so long has nothing more to say. */
const SILENCE_MS = 10 * 60_000;
const FETCH_MS = 30 * 60_000;
const ERRORS_MAX = 4_000;

export class GitServer {
  readonly #options: GitServerOptions;
  readonly #closing = new AbortController();
  readonly #running = new Set<ChildProcess>();
  readonly #work = new Set<Promise<unknown>>();
  readonly #seats = {
    'receive-pack': new Seats(PUSHES_MAX, OF_ONE_MAX),
    'upload-pack': new Seats(FETCHES_MAX, OF_ONE_MAX),
  };

  constructor(options: GitServerOptions) {
    this.#options = options;
  }

  /** Checks who asks and makes sure of the repository. Throws `not-found`, `forbidden`, `unavailable`. */
  async open(actor: Actor, reference: string, service: GitServiceName): Promise<GitCall> {
    const app = await this.#options.pushes.appFor(actor, reference);
    return { actor, app, service, repository: await this.#options.repositories.open(app.id) };
  }

  /** Carries the service out; gives git's exit code. Throws `unavailable` when git is missing or too many are under way. */
  async serve(call: GitCall, streams: GitStreams, { part, protocol }: GitMode): Promise<number> {
    const { service } = call;
    if (this.#closing.signal.aborted || !this.#seats[service].take(call.actor.name))
      throw new BerthError('unavailable', 'the server is busy with other pushes and fetches; try again in a minute');
    let branch: string | null = null;
    const parts = { ...this.#options, closing: this.#closing.signal };
    const admission = this.#options.desk.admit(async (question, say) => {
      branch = await this.#remember(deployPush(parts, call, question, say));
      return branch !== null;
    });
    try {
      const flags = {
        whole: [],
        advertise: ['--stateless-rpc', '--advertise-refs'],
        answer: ['--stateless-rpc'],
      }[part];
      const strict = service === 'upload-pack' ? ['--strict', `--timeout=${FETCH_MS / 1_000}`] : [];
      const environment = {
        ...(service === 'receive-pack' ? admission.environment : {}),
        ...(protocol !== undefined && /^version=[0-2]$/.test(protocol) ? { GIT_PROTOCOL: protocol } : {}),
      };
      const child = this.#options.git.start([service, ...strict, ...flags, call.repository], environment);
      const code = await this.#carry(child, streams, service);
      if (branch !== null && code === 0) this.#settle(call.app.id, branch);
      return code;
    } finally {
      admission.close();
      this.#seats[service].leave(call.actor.name);
    }
  }

  /** Ends what is under way: pushes are refused, their builds go on. Resolves when no process of ours is left. */
  async close(): Promise<void> {
    this.#closing.abort(new BerthError('cancelled', 'the server stops'));
    for (const child of this.#running) signalGroup(child.pid, 'SIGKILL');
    await Promise.allSettled(this.#work);
  }

  #carry(child: ChildProcess, streams: GitStreams, service: GitServiceName): Promise<number> {
    const { stdin, stdout, stderr } = child;
    if (stdin === null || stdout === null || stderr === null) throw new TypeError('git was started without pipes');
    this.#running.add(child);
    const ended = new Promise<number>((resolve, reject) => {
      child.once('error', (error) => reject(gitError(error)));
      child.once('close', (code) => resolve(code ?? 1));
    });
    feed(streams.input, stdin);
    let words = '';
    stderr.on('data', (chunk: Buffer) => {
      words = (words + chunk.toString('utf8')).slice(0, ERRORS_MAX);
      if (streams.errors?.writable === true) streams.errors.write(chunk);
    });
    deliver(stdout, streams.output, () => {
      // Who pushed may leave; what was pushed is deployed all the same.
      if (service === 'upload-pack') signalGroup(child.pid, 'SIGKILL');
    });
    const done = ended.finally(() => {
      this.#running.delete(child);
      if (words !== '') this.#options.logger.debug({ service, words }, 'git said');
    });
    return this.#remember(done);
  }

  #settle(appId: string, branch: string): void {
    const { repositories, logger } = this.#options;
    void this.#remember(
      repositories
        .settle(appId, branch)
        .catch((error: unknown) => logger.warn({ err: error, app: appId }, 'a repository could not be cleaned up')),
    );
  }

  #remember<T>(work: Promise<T>): Promise<T> {
    const known = work.finally(() => this.#work.delete(known));
    this.#work.add(known);
    return known;
  }
}

/** Passes the client's bytes on. When git has heard enough the rest is read and forgotten, so that the client gets to read the answer. */
function feed(input: Readable, stdin: Writable): void {
  const forget = (): void => {
    input.unpipe(stdin);
    input.resume();
  };
  stdin.on('error', forget);
  stdin.once('close', () => {
    clearTimeout(silence);
    forget();
  });
  const left = (): void => {
    clearTimeout(silence);
    stdin.end();
  };
  const silence = setTimeout(left, SILENCE_MS);
  input.on('data', () => silence.refresh());
  input.once('error', left);
  input.once('close', left);
  input.pipe(stdin);
}

/** Passes git's bytes on. When the client has left, `left` is told and the rest is read and forgotten. */
function deliver(stdout: Readable, output: Writable, left: () => void): void {
  let over = false;
  stdout.once('end', () => {
    over = true;
  });
  const forget = (): void => {
    if (over) return;
    over = true;
    stdout.unpipe(output);
    stdout.resume();
    left();
  };
  output.once('error', forget);
  output.once('close', forget);
  if (output.destroyed) forget();
  else stdout.pipe(output, { end: false });
}
