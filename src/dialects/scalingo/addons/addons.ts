/** The add-ons of an app. What takes a provider's time is waited for a while, since clients expect the outcome in the answer. */
import { systemActor } from '../../../core/access/actor.ts';
import type { AddonView } from '../../../core/addons/addon.ts';
import type { Started } from '../../../core/addons/addon-service.ts';
import { shortId } from '../../../core/names.ts';
import { MANIFEST_PROVIDER } from '../../../core/services/catalogue-service.ts';
import type { ServiceWithPlans } from '../../../core/services/service.ts';
import { type Call, created, noContent, ok, param, type Route } from '../call.ts';
import { notThere, Refusal, unprocessable } from '../errors.ts';
import { type Fields, isObject, needed, rooted } from '../fields.ts';
import type { ScalingoParts } from '../settings.ts';
import { type AddonShape, addonShape } from './addon-shape.ts';
import { addonToken } from './addon-token.ts';
import { findPlan, findService } from './catalogue.ts';

/** Below what the clients wait for an answer. */
const WAIT_MS = 15_000;
const SLICE_MS = 500;
const OPTIONS_MAX = 50;
const PENDING = 'The addon is being provisioned; its variables come when it is ready.';

export function addonRoutes({ core, box, clock }: ScalingoParts): readonly Route[] {
  async function show(addons: readonly AddonView[]): Promise<readonly AddonShape[]> {
    const services = new Map((await core.services.list()).map((service) => [service.id, service]));
    return addons.map((addon) => addonShape(addon, services.get(addon.serviceId)));
  }
  const one = async (addon: AddonView): Promise<AddonShape | undefined> => (await show([addon]))[0];

  /** Of the app and no other: by id, short or whole, by the provider's id or by name. */
  async function find(call: Call): Promise<AddonView> {
    const reference = param(call, 'addon');
    const found = (await core.addons.listOfApp(call.actor, param(call, 'app'))).find(({ id, resourceId, name }) =>
      [id, shortId(id), resourceId, name].includes(reference),
    );
    if (found === undefined) throw notThere('addon');
    return found;
  }

  async function list(call: Call) {
    return ok({ addons: await show(await core.addons.listOfApp(call.actor, param(call, 'app'))) });
  }

  async function add(call: Call) {
    const app = await core.apps.get(call.actor, param(call, 'app'));
    const fields = rooted(call.body, 'addon');
    const [provider, wanted] = [needed(fields, 'addon_provider_id'), needed(fields, 'plan_id')];
    const service = await findService(core, provider);
    const started = await core.addons.create(call.actor, {
      app: app.id,
      service: service.id,
      plan: findPlan(service, wanted).id,
      parameters: parametersOf(service, fields),
    });
    const failure = await failureOf(started);
    if (failure !== null) {
      // Nothing of it would ever run.
      await core.addons.remove(systemActor, started.addon.id, { force: true });
      throw new Refusal(503, { error: failure });
    }
    return created(await outcome(call, started));
  }

  async function upgrade(call: Call) {
    const addon = await find(call);
    const service = await core.services.get(addon.serviceId);
    const plan = findPlan(service, needed(rooted(call.body, 'addon'), 'plan_id'));
    const started = await core.addons.upgrade(call.actor, addon.id, plan.id);
    const failure = await failureOf(started);
    if (failure !== null) throw new Refusal(503, { error: failure });
    return ok(await outcome(call, started));
  }

  async function remove(call: Call) {
    const addon = await find(call);
    const { operation } = await core.addons.remove(call.actor, addon.id);
    await core.addons.whenDone(operation, WAIT_MS);
    return noContent;
  }

  /** Some clients look for the URL in the add-on, some beside it. */
  async function sso(call: Call) {
    const { addon, url } = await core.addons.sso(call.actor, (await find(call)).id);
    const answer = ok({ addon: { ...(await one(addon)), sso_url: url }, sso_url: url });
    return { ...answer, headers: { 'cache-control': 'no-store' } };
  }

  async function token(call: Call) {
    const addon = await find(call);
    const { id: addonId, appId } = addon;
    const text = addonToken(box, { addonId, appId, userId: call.actor.userId, now: clock.now() });
    return { ...ok({ addon: { ...(await one(addon)), token: text } }), headers: { 'cache-control': 'no-store' } };
  }

  /** What the provider refused or failed with; null while it is under way, or when all went well. */
  async function failureOf({ operation, addon: { id } }: Started): Promise<string | null> {
    for (let waited = 0; ; waited += SLICE_MS) {
      const { status, error } = await core.addons.whenDone(operation, SLICE_MS);
      if (status === 'failed') return error ?? 'the provider of the addon failed';
      if (status === 'succeeded' || waited >= WAIT_MS) return null;
      // Accepted for later: that can take its provider a day.
      const { state, resourceId } = await core.addons.get(systemActor, id);
      if (state === 'provisioning' && resourceId !== null) return null;
    }
  }

  /** Documents and clients differ in what they call the names of the variables. */
  async function outcome(call: Call, { addon: { id } }: Started) {
    const addon = await core.addons.get(call.actor, id);
    const variables = await core.bindings.variables(call.actor, addon.appId ?? '', id);
    const message = addon.state === 'provisioning' ? PENDING : addon.stateDescription;
    return { addon: await one(addon), message, vars: variables, variables };
  }

  const path = '/v1/apps/:app/addons';
  const ofOne = `${path}/:addon`;
  return [
    { method: 'GET', path, access: 'app.read.info', handle: list },
    { method: 'POST', path, access: 'app.update.bind', handle: add },
    {
      method: 'GET',
      path: ofOne,
      access: 'app.read.info',
      handle: async (call) => ok({ addon: await one(await find(call)) }),
    },
    { method: 'PATCH', path: ofOne, access: 'app.update.bind', handle: upgrade },
    { method: 'DELETE', path: ofOne, access: 'app.update.unbind', handle: remove },
    { method: 'GET', path: `${ofOne}/sso`, access: 'app.update.bind', handle: sso },
    { method: 'POST', path: `${ofOne}/sso`, access: 'app.update.bind', handle: sso },
    { method: 'POST', path: `${ofOne}/token`, access: 'app.read.info', handle: token },
  ];
}

/**
 * A provider outside gets the caller's options. The platform's own are asked for the name that clients of this API look for: with
 * `postgresql` that is `SCALINGO_POSTGRESQL_URL`.
 */
function parametersOf(service: ServiceWithPlans, { options }: Fields): Readonly<Record<string, string>> {
  if (service.provider !== MANIFEST_PROVIDER)
    return { url_names: `SCALINGO_${service.name.toUpperCase().replaceAll(/[^A-Z0-9]+/g, '_')}_URL` };
  if (options === undefined || options === null) return {};
  if (!isObject(options) || Object.keys(options).length > OPTIONS_MAX)
    throw unprocessable('options', `should be an object with at most ${OPTIONS_MAX} fields`);
  return Object.fromEntries(
    Object.entries(options).map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]),
  );
}
