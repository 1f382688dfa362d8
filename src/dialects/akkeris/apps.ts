import { systemActor } from '../../core/access/actor.ts';
import type { AppView } from '../../core/apps/app.ts';
import type { ProcessView } from '../../core/processes/process.ts';
import { createAppInput, updateAppInput } from './app-input.ts';
import { appKey, appShape, imageOf, simpleAppShape } from './app-shape.ts';
import { type Call, created, ok, param, type Route } from './call.ts';
import { systemVariables } from './config-var-names.ts';
import { elevatedIn } from './elevated.ts';
import { findOrganization } from './organizations.ts';
import { allPages } from './pages.ts';
import type { AkkerisParts } from './settings.ts';

export function appRoutes({ core, settings }: AkkerisParts): readonly Route[] {
  const shape = (app: AppView, processes: readonly ProcessView[]): unknown => ({
    ...appShape(app, processes, settings),
    image: imageOf(app),
  });
  const shapeOne = async (app: AppView): Promise<unknown> => shape(app, await core.processes.listOf([app]));

  async function info(call: Call): Promise<unknown> {
    const { app, processes } = await core.apps.getWithProcesses(call.actor, param(call, 'app'));
    return shape(app, processes);
  }

  async function list({ actor, query }: Call): Promise<unknown> {
    const apps = [...(await allPages((page) => core.apps.list(actor, {}, page)))].sort(byNameThenSpace);
    if (query.simple === 'true') return apps.map((app) => simpleAppShape(app, settings));
    const byApp = Map.groupBy(await core.processes.listOf(apps), (process) => process.appId);
    return apps.map((app) => appShape(app, byApp.get(app.id) ?? [], settings));
  }

  async function create(call: Call): Promise<unknown> {
    const { actor } = call;
    const input = createAppInput(call.body);
    const [space, team] = [
      await core.spaces.get(actor, input.space),
      await findOrganization(core, call, input.organization),
    ];
    input.checkLength();
    const app = await core.apps.create(actor, {
      name: input.name,
      team: team.id,
      spaceId: space.id,
      description: input.description,
      labels: input.labels,
      features: { 'auto-release': true, http2: true },
    });
    // Whoever may create an app gets these, whatever else they may do with it.
    await core.config.update({ ...systemActor, name: actor.name, userId: actor.userId }, app.id, systemVariables(app));
    return shapeOne(app);
  }

  async function update(call: Call): Promise<unknown> {
    const { actor } = call;
    const reference = param(call, 'app');
    const app = await core.apps.get(actor, reference);
    const { maintenance, ...change } = updateAppInput(call.body, app);
    if (Object.keys(change).length > 0) await core.apps.update(actor, app.id, change);
    if (maintenance !== undefined && maintenance !== app.maintenance)
      await core.apps.setMaintenance(actor, app.id, maintenance);
    return shapeOne(await core.apps.get(actor, app.id));
  }

  async function remove(call: Call): Promise<unknown> {
    const app = await core.apps.get(call.actor, param(call, 'app'));
    elevatedIn(call, app);
    await core.apps.remove(call.actor, app.id);
    return { id: app.id, name: appKey(app), org: app.teamName, result: 'successful' };
  }

  return [
    { method: 'GET', path: '/apps', access: 'signed-in', handle: async (call) => ok(await list(call)) },
    { method: 'POST', path: '/apps', access: 'app.create', handle: async (call) => created(await create(call)) },
    {
      method: 'GET',
      path: '/apps/:app',
      access: 'app.read.info',
      handle: async (call) => ok(await info(call)),
    },
    { method: 'PATCH', path: '/apps/:app', access: 'app.update', handle: async (call) => ok(await update(call)) },
    { method: 'DELETE', path: '/apps/:app', access: 'app.delete', handle: async (call) => ok(await remove(call)) },
  ];
}

/** By name, and among equal names by space, the last first. */
function byNameThenSpace(a: AppView, b: AppView): number {
  if (a.name !== b.name) return a.name < b.name ? -1 : 1;
  return a.spaceName === b.spaceName ? 0 : a.spaceName > b.spaceName ? -1 : 1;
}
