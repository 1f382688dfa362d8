/** The Giant Swarm API V1 over the core: makes the dialect's HTTP instance and puts its routes on it. Called by main and by tests. */
import type { FastifyInstance } from 'fastify';
import type { Actor } from '../../core/access/actor.ts';
import type { Dialect } from '../../http/dialect.ts';
import { knownFailure } from '../../http/failure.ts';
import { addGzip } from '../../http/gzip.ts';
import { createInstance } from '../../http/instance.ts';
import { parseEveryBodyAsJson } from '../../http/json-body.ts';
import { Upgrades } from '../../http/streaming/upgrades.ts';
import { authenticate } from './auth.ts';
import type { Call, Route } from './call.ts';
import { WrongInput } from './definition/place.ts';
import { asRefusal, Refusal, sendFailure, sendNotFound } from './errors.ts';
import { instanceUpgrades } from './instances/instance-routes.ts';
import { giantSwarmRoutes } from './routes.ts';
import type { GiantSwarmParts } from './settings.ts';

export type { GiantSwarmParts, GiantSwarmSettings } from './settings.ts';

export function giantSwarmDialect(parts: GiantSwarmParts): Dialect {
  const instance = createInstance({
    name: 'giantswarm',
    logger: parts.logger,
    ids: parts.ids,
    rewriteUrl: withoutCompany,
    sendFailure,
    sendNotFound,
    isOwnError: (thrown) => thrown instanceof Refusal || thrown instanceof WrongInput,
    ...(parts.observe === undefined ? {} : { observe: parts.observe }),
  });
  parseEveryBodyAsJson(instance);
  addGzip(instance);
  for (const route of giantSwarmRoutes(parts)) addRoute(instance, parts, route);
  const upgrades = new Upgrades({
    logger: parts.logger,
    ...instanceUpgrades(parts),
    statusOf: (error) => asRefusal(knownFailure(error), error, '').status,
  });
  return { name: 'giantswarm', hostLabel: 'giantswarm', instance, upgrades };
}

/** The first clients said `company` for `org`. */
const withoutCompany = (url: string): string => url.replace(/^\/v1\/company(?=[/?]|$)/, '/v1/org');

function addRoute(instance: FastifyInstance, parts: GiantSwarmParts, route: Route): void {
  const where = { method: route.method, url: route.path };
  if ('respond' in route) {
    instance.route({ ...where, handler: (request, reply) => route.respond(request, reply) });
    return;
  }
  const actors = new WeakMap<object, Actor>();
  instance.route({
    ...where,
    // Before the body is read: strangers send nothing in.
    onRequest: async (request) => {
      actors.set(request, await authenticate(parts.core, request.headers));
    },
    handler: async (request, reply) => {
      const actor = actors.get(request);
      if (actor === undefined) throw new Error('a request reached its handler without an actor');
      const call: Call = {
        actor,
        params: request.params as Call['params'],
        query: request.query as Call['query'],
        body: request.body,
      };
      const answered = await route.handle(call);
      if (typeof answered === 'string') return reply.header('content-type', 'text/plain; charset=utf-8').send(answered);
      return reply.header('content-type', 'application/json').send(JSON.stringify(answered));
    },
  });
}
