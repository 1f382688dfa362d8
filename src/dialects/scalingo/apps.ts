import type { AppView } from '../../core/apps/app.ts';
import { checkCurrentName, nameInput } from './app-input.ts';
import { nameOf } from './app-shape.ts';
import { showApp, showApps } from './app-views.ts';
import { type Call, created, noContent, ok, param, queried, type Route } from './call.ts';
import { createApp } from './create-app.ts';
import { domainShape } from './domain-shape.ts';
import { unprocessable } from './errors.ts';
import { type Fields, fieldsOf, isObject, rooted, rootedOrBare, said, text } from './fields.ts';
import { allPages } from './pages.ts';
import type { ScalingoParts } from './settings.ts';

/** Switches of the router that it does not have: turning one off changes nothing, turning one on is refused. */
const absentSettings = ['force_https', 'sticky_session', 'router_logs'] as const;

export function appRoutes(parts: ScalingoParts): readonly Route[] {
  const { core } = parts;
  const find = (call: Call): Promise<AppView> => core.apps.get(call.actor, param(call, 'app'));

  async function list(call: Call) {
    const apps = await allPages((page) => core.apps.list(call.actor, {}, page));
    return ok({ apps: await showApps(parts, call, apps) });
  }

  async function create(call: Call) {
    const fields = rooted(call.body, 'app');
    const parentReference = said(fields, 'parent_id');
    const parent = parentReference === undefined ? null : await core.apps.get(call.actor, parentReference);
    return created({ app: await createApp(parts, call, fields, parent) });
  }

  async function show(call: Call) {
    const app = await find(call);
    const [shown, domains] = await Promise.all([showApp(parts, call, app), core.domains.list(call.actor, app.id)]);
    return ok({ app: { ...shown, domains: domains.map(domainShape) } });
  }

  async function remove(call: Call) {
    const app = await find(call);
    checkCurrentName(queried(call, 'current_name'), nameOf(app));
    await core.apps.remove(call.actor, app.id);
    return noContent;
  }

  async function rename(call: Call) {
    const app = await find(call);
    const fields = rootedOrBare(call.body, 'app');
    checkCurrentName(text(fields, 'current_name'), nameOf(app));
    const renamed = await core.appOwnership.rename(call.actor, app.id, nameInput(text(fields, 'new_name'), 'new_name'));
    return ok({ app: await showApp(parts, call, renamed) });
  }

  /** Under the root `app`, or without it, as one client sends switches. */
  async function update(call: Call) {
    const app = await find(call);
    const fields = rootedOrBare(call.body, 'app');
    if (isObject(fieldsOf(call.body).app) === false && !absentSettings.some((name) => name in fields))
      throw unprocessable('app', 'missing field');
    const owner = ownerInput(fields);
    checkAbsentSettings(fields);
    if (owner === undefined) return ok({ app: await showApp(parts, call, app) });
    const given = queried(call, 'current_name');
    if (given !== undefined) checkCurrentName(given, nameOf(app));
    const moved = await core.appOwnership.transfer(call.actor, app.id, { user: owner }, { keepWorking: true });
    return ok({ app: await showApp(parts, call, moved) });
  }

  const own = '/v1/apps/:app';
  return [
    { method: 'GET', path: '/v1/apps', access: 'signed-in', handle: list },
    { method: 'POST', path: '/v1/apps', access: 'app.create', handle: create },
    { method: 'GET', path: own, access: 'app.read.info', handle: show },
    { method: 'DELETE', path: own, access: 'app.delete', handle: remove },
    { method: 'PATCH', path: own, access: 'app.update.teamowner', handle: update },
    { method: 'PUT', path: own, access: 'app.update.teamowner', handle: update },
    { method: 'POST', path: `${own}/rename`, access: 'app.update.name', handle: rename },
  ];
}

/** An address, or an object with one: both were documented. */
function ownerInput(fields: Fields): string | undefined {
  const { owner } = fields;
  if (owner === undefined || owner === null) return undefined;
  const address = isObject(owner) ? owner.email : owner;
  if (typeof address !== 'string' || address === '') throw unprocessable('owner', "can't be blank");
  return address;
}

function checkAbsentSettings(fields: Fields): void {
  const asked = absentSettings.find((name) => fields[name] === true);
  if (asked !== undefined) throw unprocessable(asked, 'is not offered by this platform');
  if (said(fields, 'stack_id') !== undefined) throw unprocessable('stack_id', 'is not a known stack');
}
