import type { Actor } from '../access/actor.ts';
import type { App } from '../apps/app.ts';
import type { CoreContext } from '../ports/core-context.ts';
import type { Stores } from '../ports/database.ts';
import { baseRelease } from '../releases/base-release.ts';
import { createRelease } from '../releases/create-release.ts';
import type { Release } from '../releases/release.ts';

/**
 * Brings the app's config as it is now to its processes: a release of kind `config` of what runs, in the caller's transaction (which
 * holds the app's lock). Null when nothing was ever released.
 */
export async function releaseConfig(
  context: CoreContext,
  stores: Stores,
  actor: Pick<Actor, 'name' | 'userId'>,
  app: App,
  description: string,
): Promise<Release | null> {
  const base = await baseRelease(stores, app);
  if (base === null) return null;
  return createRelease(context, stores, actor, app, {
    kind: 'config',
    artifactDigest: base.artifactDigest,
    buildId: base.buildId,
    commands: base.commands,
    processes: base.processes,
    strategy: base.strategy,
    description,
    environment: await stores.config.resolve(app.id),
    rollbackOf: null,
  });
}
