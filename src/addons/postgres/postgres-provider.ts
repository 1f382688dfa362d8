/** Add-ons that are databases on one PostgreSQL server: a role and a database each, the same one for every app that is bound to it. */
import { type AddonProvider, AddonRefused, type ProviderAddon } from '../../core/ports/addon-provider.ts';
import { Secret } from '../../core/ports/secret.ts';
import { databaseName, passwordOf, scramVerifier } from './credentials.ts';
import { createDatabase, dropDatabase, limitConnections, measureDatabase, restrictDatabase } from './databases.ts';
import { AddonServer, type ServerAccess } from './server-access.ts';
import { urlNames } from './url-names.ts';

export interface PostgresProvider extends AddonProvider {
  measure: NonNullable<AddonProvider['measure']>;
  restrict: NonNullable<AddonProvider['restrict']>;
  /** Ends its own sessions; the databases stay. */
  close(): Promise<void>;
}

/** Under this name services have it. */
export const POSTGRES_PROVIDER = 'postgres';

export function createPostgresProvider(access: ServerAccess): PostgresProvider {
  const server = new AddonServer(access);
  const nameOf = (addon: ProviderAddon): string => databaseName(addon.addonId);

  async function measure(addon: ProviderAddon): Promise<{ storageBytes: number; restricted: boolean }> {
    const found = await server.session((session) => measureDatabase(session, nameOf(addon)));
    if (found === null) throw new AddonRefused('the database is not there');
    return found;
  }
  const restrict = (addon: ProviderAddon, restricted: boolean): Promise<void> =>
    server.session((session) => restrictDatabase(session, nameOf(addon), restricted));

  return {
    async provision(addon) {
      // Refused before anything is made.
      urlNames(addon);
      const { connections } = addon.plan.limits;
      await server.session((session) =>
        createDatabase(session, nameOf(addon), scramVerifier(addon.secret), connections),
      );
      return { ready: true, resourceId: nameOf(addon), config: {}, message: '' };
    },
    async changePlan(addon) {
      const { connections, storageBytes } = addon.plan.limits;
      await server.session((session) => limitConnections(session, nameOf(addon), connections));
      const now = await measure(addon);
      const over = storageBytes !== null && now.storageBytes > storageBytes;
      if (over !== now.restricted) await restrict(addon, over);
      return { message: '', config: null };
    },
    async bind(addon) {
      const { host, port } = await server.addressForApps();
      const password = passwordOf(addon.secret).reveal();
      const shown = host.includes(':') ? `[${host}]` : host;
      const url = new Secret(`postgres://${nameOf(addon)}:${password}@${shown}:${port}/${nameOf(addon)}`);
      return Object.fromEntries(urlNames(addon).map((name) => [name, url]));
    },
    // Its apps share the role, which goes with the add-on.
    async unbind() {},
    async deprovision(addon) {
      await server.session((session) => dropDatabase(session, nameOf(addon)));
    },
    sso: async () => null,
    measure,
    restrict,
    close: () => server.close(),
  };
}
