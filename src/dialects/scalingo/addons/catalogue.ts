/** What add-ons there are: public, also for clients that send an empty credential. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Core } from '../../../core/core.ts';
import { BerthError } from '../../../core/errors.ts';
import { shortId } from '../../../core/names.ts';
import type { Plan, ServiceWithPlans } from '../../../core/services/service.ts';
import type { Route } from '../call.ts';
import { notThere } from '../errors.ts';
import type { ScalingoParts } from '../settings.ts';
import { categoryShape, providerShape } from './catalogue-shape.ts';

export function catalogueRoutes({ core }: ScalingoParts): readonly Route[] {
  async function providers(request: FastifyRequest) {
    const wanted = (request.query as Readonly<Record<string, unknown>>).category_id;
    const shown = (await core.services.list()).map(providerShape);
    const chosen = shown.filter(({ category }) => wanted === undefined || wanted === '' || category.id === wanted);
    return { addon_providers: chosen };
  }

  async function plans(request: FastifyRequest) {
    const { provider = '' } = request.params as Readonly<Record<string, string>>;
    return { plans: providerShape(await findService(core, provider)).plans };
  }

  async function categories() {
    const names = [...new Set((await core.services.list()).map(({ category }) => category))].sort();
    return { addon_categories: names.map((name, index) => categoryShape(name, index + 1)) };
  }

  const open = (path: string, read: (request: FastifyRequest) => Promise<unknown>): Route => ({
    method: 'GET',
    path,
    access: 'public',
    respond: async (request, reply) => send(reply, await read(request)),
  });
  return [
    open('/v1/addon_providers', providers),
    open('/v1/addon_providers/:provider', async (request) => {
      const { provider = '' } = request.params as Readonly<Record<string, string>>;
      return { addon_provider: providerShape(await findService(core, provider)) };
    }),
    open('/v1/addon_providers/:provider/plans', plans),
    open('/v1/addon_categories', categories),
  ];
}

/**
 * By name or id; `scalingo-postgresql`, as scripts of the time say it, is `postgresql` here. Throws not-found `service`.
 */
export async function findService(core: Core, reference: string): Promise<ServiceWithPlans> {
  try {
    return await core.services.get(reference);
  } catch (error) {
    const plain = reference.replace(/^scalingo-/, '');
    if (plain === reference || !(error instanceof BerthError) || error.kind !== 'not-found') throw error;
    return core.services.get(plain);
  }
}

/** By id, short or whole, or by name. Throws 404 `plan`. */
export function findPlan(service: ServiceWithPlans, reference: string): Plan {
  const found = service.plans.find(({ id, name }) => [id, shortId(id), name].includes(reference));
  if (found === undefined) throw notThere('plan');
  return found;
}

const send = (reply: FastifyReply, body: unknown): FastifyReply =>
  reply.header('content-type', 'application/json').send(JSON.stringify(body));
