/**
 * Where the pre-receive hooks of pushes under way ask whether to agree: a socket that only this user reaches, and for each push a token that is
 * good once. Knows nothing of apps or builds.
 */
import { rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import type { Ids } from '../core/ports/clock.ts';
import type { Logger } from '../lib/logger.ts';
import { collectBytes } from '../lib/streams.ts';
import { type HookAnswer, type HookQuestion, hookEnvironment, QUESTION_MAX_BYTES } from './hook-wire.ts';

/** Decides over one push; `say` reaches the person who pushed. What it throws refuses the push. */
export type Judge = (question: HookQuestion, say: (line: string) => void) => Promise<boolean>;

export interface Admission {
  /** For the git process of the push. */
  readonly environment: Readonly<Record<string, string>>;
  /** The push is over: its token is worth nothing any more. */
  close(): void;
}

const TOKEN_BYTES = 32;

export class PushDesk {
  readonly #socketPath: string;
  readonly #ids: Ids;
  readonly #logger: Logger;
  readonly #judges = new Map<string, Judge>();
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;

  constructor(socketPath: string, ids: Ids, logger: Logger) {
    this.#socketPath = socketPath;
    this.#ids = ids;
    this.#logger = logger;
    this.#server = createServer({ allowHalfOpen: true }, (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
      // A hook that was killed; git says so to whoever pushed.
      socket.on('error', () => {});
      void this.#attend(socket);
    });
  }

  /** The folder of the socket is private; what another run left there is replaced. */
  async listen(): Promise<void> {
    await rm(this.#socketPath, { force: true });
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#socketPath, resolve);
    });
  }

  /** Hooks that wait are left without a verdict, which refuses their pushes. */
  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    if (this.#server.listening) await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  admit(judge: Judge): Admission {
    const token = this.#ids.token(TOKEN_BYTES);
    this.#judges.set(token, judge);
    return {
      environment: { [hookEnvironment.socket]: this.#socketPath, [hookEnvironment.token]: token },
      close: () => void this.#judges.delete(token),
    };
  }

  async #attend(socket: Socket): Promise<void> {
    const tell = (answer: HookAnswer): void => {
      if (socket.writable) socket.write(`${JSON.stringify(answer)}\n`);
    };
    let accepted = false;
    try {
      const question = await readQuestion(socket);
      const judge = this.#judges.get(question.token);
      this.#judges.delete(question.token);
      if (judge === undefined) tell({ say: ' !     This push is not known to the server.' });
      else accepted = await judge(question, (line) => tell({ say: line }));
    } catch (error) {
      this.#logger.error({ err: error }, 'a push could not be decided and is refused');
      tell({
        say: ' !     The platform failed to deploy this push. Push again, and tell its administrator if it stays so.',
      });
    }
    tell({ accepted });
    socket.end();
  }
}

/** A hook sends its question and ends its half of the connection; the other half stays open for the answer. */
async function readQuestion(socket: Socket): Promise<HookQuestion> {
  const bytes = await collectBytes(socket.iterator({ destroyOnReturn: false }), QUESTION_MAX_BYTES);
  const { token, updates, objects } = JSON.parse(bytes.toString('utf8')) as Partial<
    Record<keyof HookQuestion, unknown>
  >;
  if (typeof token !== 'string' || typeof updates !== 'string' || typeof objects !== 'string')
    throw new Error('a hook asked what cannot be understood');
  return { token, updates, objects };
}
