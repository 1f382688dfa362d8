/** What providers call: the apps that have an add-on of theirs, and the variables of those. They sign in as their manifest says. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { AddonView } from '../../../core/addons/addon.ts';
import type { ProvidedAddon } from '../../../core/addons/provider-callbacks.ts';
import { BerthError, unauthenticated } from '../../../core/errors.ts';
import type { Service } from '../../../core/services/service.ts';
import { parseAuthorization } from '../../../http/credentials.ts';
import type { Route } from '../call.ts';
import { notThere, unprocessable } from '../errors.ts';
import { fieldsOf, isObject } from '../fields.ts';
import { allPages, pageAsked, pageOf } from '../pages.ts';
import type { ScalingoParts } from '../settings.ts';

const SIZES = { usual: 20, max: 100 };

export function providerAppRoutes({ core }: ScalingoParts): readonly Route[] {
  const { providerCallbacks } = core;

  async function signIn(request: FastifyRequest): Promise<Service> {
    const credentials = parseAuthorization(request.headers.authorization);
    // An empty name is none; it is nobody's wrong password.
    if (credentials?.scheme !== 'basic' || credentials.username === '') throw unauthenticated();
    return providerCallbacks.signIn(credentials.username, credentials.password, request.ip);
  }

  async function list(request: FastifyRequest) {
    const service = await signIn(request);
    const addons = await allPages((page) => providerCallbacks.list(service, page));
    const query = request.query as Readonly<Record<string, string | undefined>>;
    const { items, meta } = pageOf(addons, pageAsked({ query }, SIZES));
    return { apps: items.map((addon) => summary(service, addon)), meta };
  }

  /** By the app's id, or by the add-on's: ours or the provider's own. */
  async function find(service: Service, request: FastifyRequest): Promise<ProvidedAddon> {
    const { id = '' } = request.params as Readonly<Record<string, string>>;
    try {
      return await providerCallbacks.get(service, id);
    } catch (error) {
      throw error instanceof BerthError && error.kind === 'not-found' ? notThere('app') : error;
    }
  }

  async function show(request: FastifyRequest) {
    const service = await signIn(request);
    return { app: shape(service, await find(service, request)) };
  }

  async function update(request: FastifyRequest) {
    const service = await signIn(request);
    const { addon } = await find(service, request);
    return { app: shape(service, await providerCallbacks.updateConfig(service, addon.id, configInput(request.body))) };
  }

  const path = '/v1/provider/apps';
  const open = (method: 'GET' | 'PATCH', at: string, answer: (request: FastifyRequest) => Promise<unknown>): Route => ({
    method,
    path: at,
    access: 'public',
    respond: async (request, reply) => send(reply, await answer(request)),
  });
  return [open('GET', path, list), open('GET', `${path}/:id`, show), open('PATCH', `${path}/:id`, update)];
}

/** The app as `POST base_url` named it; the add-on where it belongs to no app. Of several add-ons in one app only their own ids are unique. */
const summary = (service: Service, addon: AddonView) => ({
  addon_provider_id: service.name,
  id: addon.appId ?? addon.id,
  app_id: addon.appId ?? addon.id,
  name: addon.appHandle ?? addon.name,
  plan: addon.planName,
  resource_id: addon.resourceId,
});

function shape(service: Service, { addon, ownerEmail, config }: ProvidedAddon) {
  const variables = Object.fromEntries(Object.entries(config).map(([name, value]) => [name, value.reveal()]));
  return { ...summary(service, addon), owner_email: ownerEmail, config: variables, config_vars: variables };
}

/** `config` or `config_vars`, rooted or not; null takes a variable away. */
function configInput(body: unknown): Readonly<Record<string, string | null>> {
  const fields = fieldsOf(body);
  const root = isObject(fields.app) ? fields.app : fields;
  const config = root.config ?? root.config_vars;
  if (!isObject(config)) throw unprocessable('config', 'missing field');
  return Object.fromEntries(
    Object.entries(config).map(([name, value]) => {
      if (value === null || typeof value === 'string') return [name, value];
      if (typeof value === 'number' || typeof value === 'boolean') return [name, String(value)];
      throw unprocessable(name, 'should be a string');
    }),
  );
}

const send = (reply: FastifyReply, body: unknown): FastifyReply =>
  reply.header('cache-control', 'no-store').header('content-type', 'application/json').send(JSON.stringify(body));
