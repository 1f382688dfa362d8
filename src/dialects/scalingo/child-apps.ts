/** Apps that were made as children of another, e.g. for a branch under review. They are apps like any other. */
import { PARENT, showApps } from './app-views.ts';
import { type Call, created, ok, param, type Route } from './call.ts';
import { createApp } from './create-app.ts';
import { rooted } from './fields.ts';
import { allPages } from './pages.ts';
import type { ScalingoParts } from './settings.ts';

export function childAppRoutes(parts: ScalingoParts): readonly Route[] {
  const { core } = parts;

  async function list(call: Call) {
    const parent = await core.apps.get(call.actor, param(call, 'app'));
    const apps = await allPages((page) => core.apps.list(call.actor, {}, page));
    const parents = await core.annotations.getOf(apps, PARENT);
    const children = apps.filter((app) => parents.get(app.id) === parent.id);
    return ok({ apps: await showApps(parts, call, children), child_apps: await showApps(parts, call, children) });
  }

  async function create(call: Call) {
    const parent = await core.apps.get(call.actor, param(call, 'app'));
    return created({ app: await createApp(parts, call, rooted(call.body, 'app'), parent) });
  }

  const path = '/v1/apps/:app/child_apps';
  return [
    { method: 'GET', path, access: 'app.read.info', handle: list },
    { method: 'POST', path, access: 'app.create', handle: create },
  ];
}
