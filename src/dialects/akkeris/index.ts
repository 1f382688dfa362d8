/** The Akkeris Apps API over the core: makes the dialect's HTTP instance and puts its routes on it. Called by main and by tests. */
import type { FastifyInstance } from 'fastify';
import type { Dialect } from '../../http/dialect.ts';
import { addGzip } from '../../http/gzip.ts';
import { createInstance } from '../../http/instance.ts';
import { parseEveryBodyAsJson } from '../../http/json-body.ts';
import { authenticate, type Caller } from './auth.ts';
import type { Call, Route, SignedInRoute } from './call.ts';
import { Refusal, sendFailure, sendNotFound } from './errors.ts';
import { akkerisRoutes } from './routes.ts';
import type { AkkerisParts } from './settings.ts';

export type { AkkerisParts, AkkerisSettings } from './settings.ts';

export function akkerisDialect(parts: AkkerisParts): Dialect {
  const instance = createInstance({
    name: 'akkeris',
    logger: parts.logger,
    ids: parts.ids,
    // A log session's token is a part of the path.
    maxParameterLength: 2048,
    rewriteUrl: lowerPath,
    sendFailure,
    sendNotFound,
    isOwnError: (thrown) => thrown instanceof Refusal,
    ...(parts.observe === undefined ? {} : { observe: parts.observe }),
  });
  parseEveryBodyAsJson(instance);
  addGzip(instance);
  for (const route of akkerisRoutes(parts)) addRoute(instance, parts, route);
  return { name: 'akkeris', hostLabel: 'akkeris', instance, keepAliveMs: 6 * 60_000 };
}

/** This API matches paths in lower case; a query keeps its letters. */
function lowerPath(url: string): string {
  const query = url.indexOf('?');
  return query < 0 ? url.toLowerCase() : url.slice(0, query).toLowerCase() + url.slice(query);
}

function addRoute(instance: FastifyInstance, parts: AkkerisParts, route: Route): void {
  const limits = {
    ...(route.bodyLimitBytes === undefined ? {} : { bodyLimit: route.bodyLimitBytes }),
    ...(route.deadlineMs === undefined ? {} : { handlerTimeout: route.deadlineMs }),
  };
  const where = { method: route.method, url: route.path, ...limits };
  if ('respond' in route) instance.route({ ...where, handler: (request, reply) => route.respond(request, reply) });
  else addSignedIn(instance, parts, route, where);
}

function addSignedIn(
  instance: FastifyInstance,
  parts: AkkerisParts,
  route: SignedInRoute,
  where: { method: Route['method']; url: string },
): void {
  const callers = new WeakMap<object, Caller>();
  instance.route({
    ...where,
    // Before the body is read: strangers send nothing in.
    onRequest: async (request) => {
      callers.set(request, await authenticate(parts.core, request));
    },
    handler: async (request, reply) => {
      const caller = callers.get(request);
      if (caller === undefined) throw new Error('a request reached its handler without a caller');
      const call: Call = {
        ...caller,
        params: request.params as Call['params'],
        query: request.query as Call['query'],
        body: request.body,
      };
      const answer = await route.handle(call);
      reply.code(answer.status).header('ratelimit-remaining', '2400');
      if (answer.body === undefined) return reply.send();
      return reply.header('content-type', 'application/json').send(answer.body);
    },
  });
}
