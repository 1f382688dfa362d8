/** With what builds of an app sign in to registries: what the app's team has for the host. */

import type { Stores } from '../core/ports/database.ts';
import type { RegistryCredentials } from '../core/ports/images.ts';
import { credentialsOf } from '../core/registries/registry-credentials.ts';
import { registryHost } from '../core/registries/registry-host.ts';

/** Null: as nobody. Hosts come from Dockerfiles, so any text may be asked for. */
export async function registrySignIn(
  stores: Pick<Stores, 'apps' | 'registries'>,
  appId: string,
  host: string,
): Promise<RegistryCredentials | null> {
  const app = await stores.apps.findAny(appId);
  return app === null ? null : credentialsOf(stores, app.teamId, hostOf(host));
}

function hostOf(text: string): string {
  try {
    return registryHost(text);
  } catch {
    return text;
  }
}
