/** How this dialect says no: the bodies that its documents give for each status, always a JSON object. */
import type { FastifyReply } from 'fastify';
import type { BerthError } from '../../core/errors.ts';

/** A refusal that is the dialect's own: its input rules and exact words. */
export class Refusal extends Error {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
  constructor(status: number, body: Readonly<Record<string, unknown>>) {
    super(`refused with ${status}`);
    this.name = 'Refusal';
    this.status = status;
    this.body = body;
  }
}

/** 422: each field with what is wrong about it. */
export const unprocessable = (field: string, ...texts: readonly string[]): Refusal =>
  new Refusal(422, { errors: { [field]: texts } });
/** 404 of a noun of this API: `app`, `container_type`, `deployment`… */
export const notThere = (resource: string): Refusal => new Refusal(404, { resource, error: 'not found' });

/** What the documents say of a fault; the log has the cause under the id in `X-Request-Id`. */
const FAULT = "Internal error occured, we're on it!";

/** The core's nouns under this API's words. */
const resources: Readonly<Record<string, string>> = {
  process: 'container_type',
  instance: 'container',
  build: 'deployment',
  release: 'deployment',
  config: 'variable',
  service: 'addon_provider',
  invitation: 'invitation',
};

/** The core's codes that stand for a field of this API, and their words where clients know others. */
const fields: Readonly<Record<string, readonly [field: string, text?: string]>> = {
  'app-exists': ['name', 'has already been taken'],
  'domain-exists': ['name', 'has already been taken'],
  'user-exists': ['email', 'has already been taken'],
  'key-exists': ['content', 'this key, or the name, has already been taken'],
  'collaborator-exists': ['email', 'has already been invited'],
  'already-owner': ['email', 'already owns the app'],
  'not-collaborator': ['owner', 'should be one of the collaborators of the application'],
  'unknown-size': ['size', 'is not a known container size'],
  'config-owned': ['name', 'belongs to an addon and cannot be changed'],
  'config-absent': ['name', 'is not set by the application'],
};

/** Field names of the core that this API has other words for. */
const fieldNames: Readonly<Record<string, string>> = {
  certificate: 'tlscert',
  'private key': 'tlskey',
  domain: 'name',
  quantity: 'amount',
  key: 'content',
};

interface Rendering {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

export function sendFailure(
  reply: FastifyReply,
  failure: BerthError | null,
  thrown: unknown,
  billingUrl: string,
): void {
  const retryAfterMs = failure?.details.retryAfterMs;
  if (retryAfterMs !== undefined) reply.header('retry-after', String(Math.ceil(retryAfterMs / 1000)));
  const { status, body } = rendering(failure, thrown, billingUrl);
  reply.code(status).header('content-type', 'application/json').send(JSON.stringify(body));
}

export function sendNotFound(reply: FastifyReply): void {
  const body = JSON.stringify({ resource: 'endpoint', error: 'not found' });
  reply.code(404).header('content-type', 'application/json').send(body);
}

/** The status and body for whatever was thrown. */
export function rendering(failure: BerthError | null, thrown: unknown, billingUrl: string): Rendering {
  if (thrown instanceof Refusal) return { status: thrown.status, body: thrown.body };
  if (failure === null) return { status: 500, body: { error: FAULT } };
  const { kind, message, details } = failure;
  switch (kind) {
    case 'unauthenticated':
      return { status: 401, body: { error: 'The given credentials are missing or not valid' } };
    case 'forbidden':
      return { status: 403, body: { error: message, code: details.code ?? 'forbidden' } };
    case 'not-found':
      return { status: 404, body: { resource: resourceOf(details.noun), error: 'not found' } };
    case 'quota':
      return quotaRendering(failure, billingUrl);
    case 'too-large':
      return { status: 413, body: { error: message } };
    case 'rate-limited':
      return { status: 429, body: { error: message, code: 'rate_limited' } };
    case 'unavailable':
      return { status: 503, body: { error: message } };
    default:
      return invalidRendering(failure);
  }
}

const resourceOf = (noun: string | undefined): string => resources[noun ?? ''] ?? noun ?? 'resource';

/** The limits of a trial are 402; what nobody gets more of by paying is wrong input. */
function quotaRendering({ message, details }: BerthError, url: string): Rendering {
  if (details.code !== 'apps' && details.code !== 'instances')
    return { status: 422, body: { errors: { [details.code ?? 'base']: [message] } } };
  const what = details.code === 'apps' ? 'create a new app' : 'run more containers';
  return {
    status: 402,
    body: { name: 'free-trial-exceeded', error: `Sorry, you are not allowed to ${what}: ${message}`, url },
  };
}

function invalidRendering({ message, details }: BerthError): Rendering {
  if (details.code === 'malformed-json') {
    const problem = details.cause instanceof Error ? details.cause.message : message;
    return { status: 400, body: { error: `There was a problem in the JSON you submitted: ${problem}` } };
  }
  if (details.code === 'malformed-request') return { status: 400, body: { error: message } };
  const [field, text] = fields[details.code ?? ''] ?? [];
  const own = details.field ?? details.noun ?? 'base';
  return { status: 422, body: { errors: { [field ?? fieldNames[own] ?? own]: [text ?? message] } } };
}
