/** How this dialect says no: with an envelope where the documents give a code, else with a status and a line of text. */
import type { FastifyReply } from 'fastify';
import type { BerthError, ErrorKind } from '../../core/errors.ts';
import { faultText } from '../../http/failure.ts';
import { WrongInput } from './definition/place.ts';
import { type CodeName, envelope } from './envelope.ts';

/** A refusal in the dialect's own words; `code` null: without an envelope. */
export class Refusal extends Error {
  readonly status: number;
  readonly code: CodeName | null;
  constructor(status: number, code: CodeName | null, text: string) {
    super(text);
    this.name = 'Refusal';
    this.status = status;
    this.code = code;
  }
}

export const notThere = (): Refusal => new Refusal(400, 'notFound', 'resource not found');
export const forbiddenHere = (): Refusal => new Refusal(403, null, 'forbidden');
export const wrongInput = (reason?: string): Refusal =>
  new Refusal(400, 'wrongInput', reason === undefined ? 'wrong input' : `wrong input: ${reason}`);
export const invalidCredentials = (): Refusal => new Refusal(400, 'invalidCredentials', 'resource invalid credentials');

const statuses: Readonly<Record<ErrorKind, readonly [number, CodeName | null]>> = {
  invalid: [400, 'wrongInput'],
  unauthenticated: [401, null],
  forbidden: [403, null],
  'not-found': [400, 'notFound'],
  conflict: [400, 'userError'],
  quota: [400, 'userError'],
  'too-large': [413, null],
  'rate-limited': [429, null],
  unavailable: [503, null],
  cancelled: [400, 'userError'],
};

export function sendFailure(reply: FastifyReply, failure: BerthError | null, thrown: unknown): void {
  const retryAfterMs = failure?.details.retryAfterMs;
  if (retryAfterMs !== undefined) reply.header('retry-after', String(Math.ceil(retryAfterMs / 1000)));
  send(reply, asRefusal(failure, thrown, reply.request.id));
}

/** The refusal that stands for whatever was thrown. */
export function asRefusal(failure: BerthError | null, thrown: unknown, requestId: string): Refusal {
  if (thrown instanceof Refusal) return thrown;
  if (thrown instanceof WrongInput) return wrongInput(thrown.message);
  if (failure === null) return new Refusal(500, null, faultText(requestId));
  const [status, code] = statuses[failure.kind];
  if (failure.kind === 'invalid') return wrongInput(failure.message);
  return new Refusal(status, code, failure.kind === 'not-found' ? 'resource not found' : failure.message);
}

export function sendNotFound(reply: FastifyReply): void {
  send(reply, new Refusal(404, null, 'not found'));
}

function send(reply: FastifyReply, { status, code, message }: Refusal): void {
  reply.code(status);
  if (code === null) reply.header('content-type', 'text/plain; charset=utf-8').send(`${message}\n`);
  else reply.header('content-type', 'application/json').send(JSON.stringify(envelope(code, undefined, message)));
}
