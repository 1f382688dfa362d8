/** The Scalingo API V1 over the core: makes the dialect's HTTP instance and puts its routes on it. Called by main and by tests. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Dialect } from '../../http/dialect.ts';
import { addGzip } from '../../http/gzip.ts';
import { createInstance } from '../../http/instance.ts';
import { parseEveryBodyAsJson } from '../../http/json-body.ts';
import { authenticate, type Caller } from './auth.ts';
import { baseUrlOf } from './base-url.ts';
import type { Answer, Call, Route } from './call.ts';
import { Refusal, sendFailure, sendNotFound } from './errors.ts';
import { scalingoRoutes } from './routes.ts';
import { Attachments } from './run/attachments.ts';
import type { ScalingoParts } from './settings.ts';
import { scalingoUpgrades } from './upgrades.ts';

export type { ScalingoParts, ScalingoSettings } from './settings.ts';

export function scalingoDialect(parts: ScalingoParts): Dialect {
  const instance = createInstance({
    name: 'scalingo',
    logger: parts.logger,
    ids: parts.ids,
    // Tokens of uploads and logs are parts of paths.
    maxParameterLength: 2048,
    sendFailure: (reply, failure, thrown) => sendFailure(reply, failure, thrown, parts.settings.billingUrl),
    sendNotFound,
    isOwnError: (thrown) => thrown instanceof Refusal,
    ...(parts.observe === undefined ? {} : { observe: parts.observe }),
  });
  addGzip(instance);
  const attachments = new Attachments();
  const routes = scalingoRoutes(parts, attachments);
  // Each of the two has its own way with bodies.
  instance.register(async (scope) => {
    parseEveryBodyAsJson(scope);
    for (const route of routes) if (route.rawBody !== true) addRoute(scope, parts, route);
  });
  instance.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
    for (const route of routes) if (route.rawBody === true) addRoute(scope, parts, route);
  });
  return { name: 'scalingo', hostLabel: 'scalingo', instance, upgrades: scalingoUpgrades(parts, attachments) };
}

function addRoute(scope: FastifyInstance, parts: ScalingoParts, route: Route): void {
  const where = {
    method: route.method === 'GET' ? ['GET', 'HEAD'] : [route.method],
    url: route.path,
    ...(route.bodyLimitBytes === undefined ? {} : { bodyLimit: route.bodyLimitBytes }),
    ...(route.deadlineMs === undefined ? {} : { handlerTimeout: route.deadlineMs }),
  };
  if ('respond' in route) {
    scope.route({ ...where, handler: (request, reply) => route.respond(request, reply) });
    return;
  }
  const callers = new WeakMap<object, Caller>();
  scope.route({
    ...where,
    // Before the body is read: strangers send nothing in.
    onRequest: async (request) => {
      callers.set(request, await authenticate(parts, request.headers));
    },
    handler: async (request, reply) => {
      const caller = callers.get(request);
      if (caller === undefined) throw new Error('a request reached its handler without a caller');
      const call = callOf(caller, request, parts);
      if ('stream' in route) return route.stream(call, request, reply);
      return send(reply, await route.handle(call));
    },
  });
}

const callOf = (caller: Caller, request: FastifyRequest, { settings }: ScalingoParts): Call => ({
  ...caller,
  baseUrl: baseUrlOf(request.headers, settings.publicUrl),
  headers: request.headers,
  params: request.params as Call['params'],
  query: request.query as Call['query'],
  body: request.body,
});

function send(reply: FastifyReply, { status, body, headers }: Answer): FastifyReply {
  reply.code(status);
  if (headers !== undefined) reply.headers(headers);
  if (body === undefined) return reply.send();
  return reply.header('content-type', 'application/json').send(JSON.stringify(body));
}
