/** What the shared port says for the platform itself: a page with the addresses, its health, its metrics. */
import type { FastifyInstance } from 'fastify';
import { BerthError } from '../core/errors.ts';
import type { Ids } from '../core/ports/clock.ts';
import type { Logger } from '../lib/logger.ts';
import { parseAuthorization } from './credentials.ts';
import { faultText } from './failure.ts';
import { createInstance, type RequestSample } from './instance.ts';
import { landingPage } from './landing-page.ts';

export interface PlatformSiteOptions {
  readonly logger: Logger;
  readonly ids: Ids;
  /** What a deploy needs and is not there yet; none: ready. */
  readonly ready: () => Promise<readonly string[]>;
  /** Prometheus' text format. */
  readonly metrics: () => Promise<string>;
  /** `open` shows metrics to everybody; otherwise a token must pass; throwing `unauthenticated` says no. */
  readonly metricsAccess: 'open' | ((token: string) => Promise<boolean>);
  readonly addresses: () => readonly { readonly name: string; readonly host: string }[];
  readonly observe?: (sample: RequestSample) => void;
}

const statuses: Partial<Record<string, number>> = { invalid: 400, 'too-large': 413, unavailable: 503 };

export function createPlatformSite(options: PlatformSiteOptions): FastifyInstance {
  const site = createInstance({
    ...options,
    name: 'platform',
    sendFailure: (reply, failure) => {
      const error = failure === null ? faultText(reply.request.id) : failure.message;
      reply.code(failure === null ? 500 : (statuses[failure.kind] ?? 400)).send({ error });
    },
    sendNotFound: (reply) => {
      reply.code(404).send({ error: 'nothing is here' });
    },
  });
  site.get('/', async (request, reply) => {
    reply
      .type('text/html; charset=utf-8')
      .header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'");
    return landingPage(options.addresses(), portOf(request.headers.host));
  });
  site.get('/healthz', async (_request, reply) => {
    const reasons = await options.ready();
    reply.code(reasons.length === 0 ? 200 : 503).header('cache-control', 'no-store');
    return { status: reasons.length === 0 ? 'ready' : 'not ready', reasons };
  });
  site.get('/metrics', async (request, reply) => {
    if (!(await mayReadMetrics(options.metricsAccess, request.headers.authorization)))
      return reply.code(401).header('www-authenticate', 'Bearer').send({ error: 'an administrator’s token is needed' });
    reply.type('text/plain; version=0.0.4; charset=utf-8');
    return options.metrics();
  });
  return site;
}

async function mayReadMetrics(
  access: PlatformSiteOptions['metricsAccess'],
  header: string | undefined,
): Promise<boolean> {
  if (access === 'open') return true;
  const credentials = parseAuthorization(header);
  if (credentials?.scheme !== 'bearer') return false;
  try {
    return await access(credentials.token.reveal());
  } catch (error) {
    // An unknown token is no better than none.
    if (error instanceof BerthError && error.kind === 'unauthenticated') return false;
    throw error;
  }
}

const portOf = (host: string | undefined): string => /:\d+$/.exec(host ?? '')?.[0] ?? '';
