import type { Actor } from '../access/actor.ts';
import type { App } from '../apps/app.ts';
import { startOperation } from '../apps/app-access.ts';
import { record } from '../events/record.ts';
import type { Id } from '../names.ts';
import type { CoreContext } from '../ports/core-context.ts';
import type { Stores } from '../ports/database.ts';
import type { Environment, SecretBox } from '../ports/secret.ts';
import { insertProcess } from '../processes/new-process.ts';
import type { Release } from './release.ts';

export type NewRelease = Pick<
  Release,
  'kind' | 'processes' | 'artifactDigest' | 'buildId' | 'commands' | 'strategy' | 'description' | 'rollbackOf'
> & {
  readonly environment: Environment;
};

/**
 * The row of a release, its config snapshot, its event and its operation, in the caller's transaction (which holds the app's lock).
 * An older release that still waits is superseded. The first release brings a `web` process when the artifact has one.
 */
export async function createRelease(
  context: CoreContext,
  stores: Stores,
  actor: Pick<Actor, 'name' | 'userId'>,
  app: App,
  input: NewRelease,
): Promise<Release> {
  const now = context.clock.now();
  const { environment, ...snapshot } = input;
  const configSnapshotId = snapshotId(context.box, app.id, environment);
  if ((await stores.config.findSnapshot(configSnapshotId)) === null)
    await stores.config.snapshot(configSnapshotId, app.id, environment);
  const release: Release = {
    ...snapshot,
    id: context.ids.id(),
    appId: app.id,
    version: await stores.releases.nextVersion(app.id),
    status: 'pending',
    configSnapshotId,
    failureCode: null,
    failureMessage: null,
    createdBy: actor.name,
    createdAt: now,
    updatedAt: now,
  };
  await stores.releases.insert(release);
  await stores.releases.supersede(app.id, release.version, now);
  if ('web' in input.commands && (await stores.processes.find(app.id, 'web')) === null)
    await insertProcess(context, stores, app.id, { type: 'web' });
  await record(
    context,
    stores,
    actor,
    'ReleaseCreated',
    { app },
    {
      release: release.id,
      version: release.version,
      kind: release.kind,
      description: release.description,
      build: release.buildId,
    },
  );
  await startOperation(context, stores, 'deploy', app.id, release.id);
  return release;
}

/** The same config of the same app has the same snapshot, so that releasing it again replaces nothing that runs. */
function snapshotId(box: SecretBox, appId: Id<'app'>, environment: Environment): Id<'config-snapshot'> {
  const sorted = Object.keys(environment)
    .sort()
    .map((name) => [name, environment[name]?.reveal()]);
  const hex = box.digest(`config ${appId} ${JSON.stringify(sorted)}`);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}` as Id<'config-snapshot'>;
}
