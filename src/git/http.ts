/**
 * git's smart HTTP protocol over node's own requests and responses, to be mounted by whoever has a port. Credentials are HTTP Basic; who they
 * are of is asked outside. Bodies flow through; none is held.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { Actor } from '../core/access/actor.ts';
import { BerthError, type ErrorKind, invalid, unauthenticated } from '../core/errors.ts';
import { Secret } from '../core/ports/secret.ts';
import type { Logger } from '../lib/logger.ts';
import { limitBytes } from '../lib/streams.ts';
import type { GitServer, GitServiceName } from './git-server.ts';
import { parseGitPath, parseService } from './http-path.ts';

export interface GitHttpOptions {
  readonly server: GitServer;
  readonly logger: Logger;
  /** Throws `unauthenticated`. `address` is the client's, for rate limits. */
  readonly authenticate: (username: string, password: Secret, address: string) => Promise<Actor>;
}

/** What a client may ask for in a fetch, unpacked: names of commits. */
const FETCH_BODY_MAX = 32 * 1024 * 1024;

const statuses: Readonly<Record<ErrorKind, number>> = {
  invalid: 400,
  unauthenticated: 401,
  forbidden: 403,
  'not-found': 404,
  conflict: 409,
  quota: 403,
  'too-large': 413,
  'rate-limited': 429,
  unavailable: 503,
  cancelled: 503,
};

/** Answers every request it is given; never rejects. */
export function createGitHttp(
  options: GitHttpOptions,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  return async (request, response) => {
    response.setHeader('cache-control', 'no-cache, max-age=0, must-revalidate');
    try {
      await answer(options, request, response);
    } catch (error) {
      fail(options.logger, request, response, error);
    }
  };
}

async function answer(options: GitHttpOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://git');
  const path = parseGitPath(url.pathname);
  if (path === null) throw new BerthError('not-found', 'no git repository is here; its path is <app>.git');
  const service = path.what === 'info' ? parseService(url.searchParams.get('service')) : path.what;
  if (service === null)
    throw new BerthError('forbidden', 'this server speaks the smart protocol only; use git 1.6.6 or newer');
  const method = path.what === 'info' ? 'GET' : 'POST';
  if (request.method !== method) {
    response.setHeader('allow', method);
    throw invalid('method', `this is for ${method} only`);
  }
  const { username, password } = basicCredentials(request.headers.authorization);
  const actor = await options.authenticate(username, password, request.socket.remoteAddress ?? '');
  const call = await options.server.open(actor, path.app, service);
  const protocol = headerText(request.headers['git-protocol']);
  if (path.what === 'info') {
    response.setHeader('content-type', `application/x-git-${service}-advertisement`);
    // Version 2 begins with its own capabilities instead.
    if (!(service === 'upload-pack' && protocol === 'version=2')) response.write(announcement(service));
    await options.server.serve(call, { input: request, output: response }, { part: 'advertise', protocol });
  } else {
    if (request.headers['content-type'] !== `application/x-git-${service}-request`)
      throw invalid('content-type', `the body must be application/x-git-${service}-request`);
    response.setHeader('content-type', `application/x-git-${service}-result`);
    const input = bodyOf(request, service);
    await options.server.serve(call, { input, output: response }, { part: 'answer', protocol });
  }
  response.end();
}

/** git packs long lists of commits for a fetch. A push has its limit in git itself. */
function bodyOf(request: IncomingMessage, service: GitServiceName): Readable {
  const encoding = headerText(request.headers['content-encoding']) ?? 'identity';
  if (encoding !== 'identity' && encoding !== 'gzip' && encoding !== 'x-gzip')
    throw invalid('content-encoding', 'the body may be packed with gzip only');
  const plain = encoding === 'identity' ? request : chain(request, createGunzip());
  return service === 'upload-pack' ? chain(plain, limitBytes(FETCH_BODY_MAX)) : plain;
}

/** As `pipe`, and an end before its time ends the next stream too. */
function chain<T extends Readable & NodeJS.WritableStream>(from: Readable, to: T): T {
  from.once('error', (error) => to.destroy(error));
  from.once('close', () => {
    if (!from.readableEnded) to.destroy();
  });
  return from.pipe(to);
}

/** As a packet of git's: four hex digits of length, then the text; `0000` ends the list. */
function announcement(service: GitServiceName): string {
  const text = `# service=git-${service}\n`;
  return `${(text.length + 4).toString(16).padStart(4, '0')}${text}0000`;
}

function basicCredentials(header: string | undefined): { username: string; password: Secret } {
  const encoded = /^basic +([A-Za-z0-9+/=_-]+) *$/i.exec(header ?? '')?.[1];
  const pair = encoded === undefined ? '' : Buffer.from(encoded, 'base64').toString('utf8');
  const colon = pair.indexOf(':');
  if (colon < 0 || colon === pair.length - 1)
    throw unauthenticated('give an access token as the password; any user name will do');
  return { username: pair.slice(0, colon), password: new Secret(pair.slice(colon + 1)) };
}

/** git shows the text of a plain answer to the person at the terminal. */
function fail(logger: Logger, request: IncomingMessage, response: ServerResponse, error: unknown): void {
  const known = error instanceof BerthError ? error : null;
  if (known === null) logger.error({ err: error, method: request.method }, 'a git request failed');
  else if (known.kind === 'unavailable') logger.warn({ err: known }, 'a git request could not be served');
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.statusCode = known === null ? 500 : known.details.field === 'method' ? 405 : statuses[known.kind];
  if (response.statusCode === 401) response.setHeader('www-authenticate', 'Basic realm="Berth", charset="UTF-8"');
  if (known?.details.retryAfterMs !== undefined)
    response.setHeader('retry-after', String(Math.ceil(known.details.retryAfterMs / 1_000)));
  // What was not read of a large body would otherwise be taken for the next request.
  if (!request.complete) response.setHeader('connection', 'close');
  response.setHeader('content-type', 'text/plain; charset=utf-8');
  response.end(`${known?.message ?? 'Internal error.'}\n`);
}

const headerText = (value: string | string[] | undefined): string | undefined =>
  typeof value === 'string' ? value : value?.[0];
