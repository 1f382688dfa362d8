import { canonicalImage } from '../images/canonical-image.ts';
import { splitCredentials } from '../images/image-source.ts';
import type { Id } from '../names.ts';
import type { Stores } from '../ports/database.ts';
import type { RegistryCredentials } from '../ports/images.ts';
import { credentialsOf } from './registry-credentials.ts';

/**
 * With what an app's image (`docker://<registry>/<name>@<digest>`) may be pulled, in the order to be tried: what was said with the source
 * of a build that brought it, which is kept there and nowhere else; then what the team has for the registry. None: as nobody.
 */
export async function pullCredentials(
  stores: Pick<Stores, 'apps' | 'builds' | 'registries'>,
  appId: Id<'app'>,
  artifactDigest: string,
): Promise<readonly RegistryCredentials[]> {
  const app = await stores.apps.findAny(appId);
  if (app === null) return [];
  const { host } = canonicalImage(artifactDigest.replace(/^docker:\/\//, ''));
  const [builds, ofTeam] = await Promise.all([
    stores.builds.broughtBy(app.teamId, artifactDigest),
    credentialsOf(stores, app.teamId, host),
  ]);
  const ofBuilds = builds.flatMap(({ source }) =>
    source.kind === 'image' ? (splitCredentials(source.reference.reveal()).own ?? []) : [],
  );
  return ofTeam === null ? ofBuilds : [...ofBuilds, ofTeam];
}
