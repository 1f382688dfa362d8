/** Who makes add-ons on this install, by the names that services have them under. */
import { createManifestProvider } from '../addons/manifest-provider/manifest-provider.ts';
import { createPostgresProvider, POSTGRES_PROVIDER } from '../addons/postgres/postgres-provider.ts';
import type { AddonProviders } from '../core/ports/addon-provider.ts';
import { MANIFEST_PROVIDER } from '../core/services/catalogue-service.ts';
import type { Dialer } from '../lib/dialer.ts';
import { type AccessOptions, addonServerAccess } from './addon-postgres.ts';

export interface Addons {
  readonly providers: AddonProviders;
  close(): Promise<void>;
}

export function openAddons(options: AccessOptions & { readonly dialer: Dialer }): Addons {
  const postgres = createPostgresProvider(addonServerAccess(options));
  return {
    providers: { [POSTGRES_PROVIDER]: postgres, [MANIFEST_PROVIDER]: createManifestProvider(options.dialer) },
    close: () => postgres.close(),
  };
}
