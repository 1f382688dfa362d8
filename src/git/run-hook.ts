/**
 * The pre-receive hook: hands what git told it to the server, prints what comes back, and agrees or not. It decides nothing itself, and
 * holds nothing but the one-time token of its push.
 */
import { connect } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { type HookAnswer, type HookQuestion, hookEnvironment } from './hook-wire.ts';

export interface HookProcess {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: Readable;
  readonly stdout: Writable;
}

/** Gives the exit code: 0 lets git take the push. Never rejects. */
export async function runHook({ env, stdin, stdout }: HookProcess): Promise<number> {
  const say = (text: string): void => void stdout.write(`${text}\n`);
  try {
    const chunks: Buffer[] = [];
    for await (const chunk of stdin) chunks.push(chunk as Buffer);
    const question: HookQuestion = {
      token: env[hookEnvironment.token] ?? '',
      updates: Buffer.concat(chunks).toString('utf8'),
      objects: env.GIT_OBJECT_DIRECTORY ?? '',
    };
    const accepted = await ask(env[hookEnvironment.socket] ?? '', question, say);
    if (accepted !== null) return accepted ? 0 : 1;
    say(' !     The platform was stopped before the deploy had ended. Push again.');
  } catch {
    say(' !     The platform does not answer. Push again later.');
  }
  return 1;
}

/** The verdict, or null when the server left without one. */
async function ask(path: string, question: HookQuestion, say: (text: string) => void): Promise<boolean | null> {
  const socket = connect({ path, allowHalfOpen: true });
  socket.end(JSON.stringify(question));
  let verdict: boolean | null = null;
  for await (const line of linesOf(socket)) {
    const answer = JSON.parse(line) as HookAnswer;
    if ('say' in answer) say(answer.say);
    else verdict = answer.accepted;
  }
  return verdict;
}

async function* linesOf(stream: Readable): AsyncGenerator<string> {
  stream.setEncoding('utf8');
  let rest = '';
  for await (const chunk of stream) {
    const lines = (rest + String(chunk)).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
}
