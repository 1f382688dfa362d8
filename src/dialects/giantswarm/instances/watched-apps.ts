import type { AppView } from '../../../core/apps/app.ts';
import type { Core } from '../../../core/core.ts';
import { wrongInput } from '../errors.ts';
import { orNull } from '../scope.ts';
import { appsOf } from '../team-apps.ts';
import type { StreamReader } from './stream-access.ts';
import type { StreamGrant } from './stream-tokens.ts';

/** An app of a stream, and which of its instances; null: all. */
export interface WatchedApp {
  readonly app: AppView;
  readonly ids: ReadonlySet<string> | null;
}

const MOST_APPS = 100;

/** Those of the grant that the reader may still see. Throws 10013 for all of an organization that has too many. */
export async function watchedApps(
  core: Core,
  { actor, team }: StreamReader,
  { instances }: Pick<StreamGrant, 'instances'>,
): Promise<readonly WatchedApp[]> {
  if (instances === null) {
    const apps = await appsOf(core, actor, team);
    if (apps.length > MOST_APPS) throw wrongInput('the organization has too many applications: name the instances');
    return apps.map((app) => ({ app, ids: null }));
  }
  const found = await Promise.all(
    Object.entries(instances).map(async ([appId, ids]) => ({
      app: await orNull(core.apps.get(actor, appId)),
      ids: new Set(ids),
    })),
  );
  return found.flatMap(({ app, ids }) => (app?.teamId === team.id ? [{ app, ids }] : []));
}
