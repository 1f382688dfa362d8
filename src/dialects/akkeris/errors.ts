/** How this dialect says no: a status, and as the whole body the bare text, labelled as JSON. Clients compare it letter by letter. */
import type { FastifyReply } from 'fastify';
import type { BerthError, ErrorKind } from '../../core/errors.ts';
import { faultText } from '../../http/failure.ts';

/** A refusal that is the dialect's own: its input rules and exact words. */
export class Refusal extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.name = 'Refusal';
    this.status = status;
  }
}

export const unprocessable = (message: string): Refusal => new Refusal(422, message);

const statuses: Readonly<Record<ErrorKind, number>> = {
  invalid: 422,
  unauthenticated: 401,
  forbidden: 403,
  'not-found': 404,
  conflict: 409,
  quota: 422,
  'too-large': 413,
  'rate-limited': 429,
  unavailable: 503,
  cancelled: 409,
};

/** The core's codes that clients know under words of this dialect. */
const words: Readonly<Record<string, string>> = {
  'app-exists': 'The requested application already exists.',
  'space-exists': 'The specified space already exists.',
  'team-exists': 'The specified organization already exists.',
};

export function sendFailure(reply: FastifyReply, failure: BerthError | null, thrown: unknown): void {
  const retryAfterMs = failure?.details.retryAfterMs;
  if (retryAfterMs !== undefined) reply.header('retry-after', String(Math.ceil(retryAfterMs / 1000)));
  reply.header('content-type', 'application/json').header('ratelimit-remaining', '2400');
  const [status, text] = rendering(failure, thrown, reply.request.id);
  send(reply, status, text);
}

/** The status and the whole body. */
function rendering(failure: BerthError | null, thrown: unknown, requestId: string): readonly [number, string] {
  if (thrown instanceof Refusal) return [thrown.status, thrown.message];
  if (failure === null) return [500, faultText(requestId)];
  const { kind, details, message } = failure;
  if (kind === 'unauthenticated') return [401, ''];
  const malformed = details.code === 'malformed-json' || details.code === 'malformed-request';
  return [malformed ? 400 : statuses[kind], words[details.code ?? ''] ?? sentence(message)];
}

export function sendNotFound(reply: FastifyReply): void {
  send(reply, 404, '');
}

// A serializer of its own: as `application/json`, a string would be quoted.
function send(reply: FastifyReply, status: number, text: string): void {
  reply
    .code(status)
    .serializer((body: unknown) => String(body))
    .send(text);
}

const sentence = (message: string): string => {
  const text = message.charAt(0).toUpperCase() + message.slice(1);
  return /[.!?]$/.test(text) ? text : `${text}.`;
};
