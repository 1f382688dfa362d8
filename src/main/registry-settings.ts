/** What the settings say of registries of images. */
import { BerthError } from '../core/errors.ts';
import type { Stores } from '../core/ports/database.ts';
import { pullCredentials } from '../core/registries/pull-credentials.ts';
import { registryHost } from '../core/registries/registry-host.ts';
import type { OwnRegistry, RegistryRules } from '../engines/docker/images/registry-rules.ts';
import type { Settings } from './settings.ts';

export type RegistrySettings = Pick<
  Settings,
  'allowPrivateSources' | 'dockerRegistries' | 'dockerRegistry' | 'dockerRegistryUsername' | 'dockerRegistryPassword'
>;

/** `stores` null: nothing is pulled that needs credentials. Throws `invalid` when the settings do not fit each other. */
export function registryRules(
  settings: RegistrySettings,
  stores: Pick<Stores, 'apps' | 'builds' | 'registries'> | null,
): RegistryRules {
  return {
    allow: settings.dockerRegistries.split(',').filter(Boolean).map(registryHost),
    allowPrivate: settings.allowPrivateSources,
    credentials: async (appId, digest) => (stores === null ? [] : pullCredentials(stores, appId, digest)),
    own: ownRegistry(settings),
  };
}

function ownRegistry(settings: RegistrySettings): OwnRegistry | null {
  const { dockerRegistry, dockerRegistryUsername: username, dockerRegistryPassword: password } = settings;
  if ((username === '') !== (password === null)) {
    const field = username === '' ? 'BERTH_DOCKER_REGISTRY_USERNAME' : 'BERTH_DOCKER_REGISTRY_PASSWORD';
    throw new BerthError('invalid', `${field} is missing: a user name and a password belong together`, { field });
  }
  if (dockerRegistry === '') return null;
  const [host = '', ...prefix] = dockerRegistry.split('/');
  const credentials = password === null ? null : { username, password };
  return { host: registryHost(host), prefix: prefix.join('/'), credentials };
}
