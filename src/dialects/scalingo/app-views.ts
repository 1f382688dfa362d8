/** Apps with all that is shown beside them, whatever their number in the same few queries. */

import type { Actor } from '../../core/access/actor.ts';
import type { AppView } from '../../core/apps/app.ts';
import { appShape } from './app-shape.ts';
import { type AppStatus, appStatus } from './app-status.ts';
import type { Call } from './call.ts';
import { GIT_SOURCE } from './git-source.ts';
import type { ScalingoParts } from './settings.ts';

/** An app's note of the app that it was made as a child of: that one's id. */
export const PARENT = 'scalingo/parent';

export type AppShape = ReturnType<typeof appShape>;

export async function showApps(
  { core, settings }: ScalingoParts,
  { baseUrl, actor }: Pick<Call, 'baseUrl' | 'actor'>,
  apps: readonly AppView[],
): Promise<readonly AppShape[]> {
  const [processes, activity, owners, parents, sources] = await Promise.all([
    core.processes.listOf(apps),
    core.apps.activityOf(apps),
    core.appOwnership.ownersOf(apps),
    core.annotations.getOf(apps, PARENT),
    core.annotations.getOf(apps, GIT_SOURCE),
  ]);
  const byApp = Map.groupBy(processes, (process) => process.appId);
  const parentNames = await namesOf(core, actor, apps, new Set(parents.values()));
  return apps.map((app) =>
    appShape(app, {
      status: appStatus(app, byApp.get(app.id) ?? [], activity.get(app.id)),
      owner: owners.get(app.teamId),
      deployed: activity.get(app.id)?.deployed ?? null,
      parentName: parentNames.get(parents.get(app.id) ?? '') ?? null,
      gitSource: sources.get(app.id) ?? null,
      baseUrl,
      settings,
    }),
  );
}

export async function showApp(
  parts: ScalingoParts,
  call: Pick<Call, 'baseUrl' | 'actor'>,
  app: AppView,
): Promise<AppShape> {
  const [shown] = await showApps(parts, call, [app]);
  if (shown === undefined) throw new Error('an app was given and none was shown');
  return shown;
}

export async function statusOf({ core }: Pick<ScalingoParts, 'core'>, app: AppView): Promise<AppStatus> {
  const [processes, activity] = await Promise.all([core.processes.listOf([app]), core.apps.activityOf([app])]);
  return appStatus(app, processes, activity.get(app.id));
}

/** Of those among `ids` that the actor may see. */
async function namesOf(
  core: ScalingoParts['core'],
  actor: Actor,
  known: readonly AppView[],
  ids: ReadonlySet<string>,
): Promise<ReadonlyMap<string, string>> {
  const names = new Map<string, string>(known.map((app) => [app.id, app.handle]));
  for (const id of ids) {
    if (names.has(id)) continue;
    const parent = await core.apps.get(actor, id).catch(() => null);
    if (parent !== null) names.set(id, parent.handle);
  }
  return names;
}
