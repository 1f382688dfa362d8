/**
 * The server that holds the databases of PostgreSQL add-ons: the one named by the settings, or an embedded one of its own. It is never the
 * one that holds the state of the platform.
 */
import pg from 'pg';
import type { ServerAccess } from '../addons/postgres/server-access.ts';
import type { Engine } from '../core/ports/engine.ts';
import type { Logger } from '../lib/logger.ts';
import type { EmbeddedPostgres } from '../store/embedded/start.ts';
import { startAddonServer } from './addon-server.ts';
import { addonHostPort, HOST_NAME } from './addon-settings.ts';
import { databaseConnection } from './database.ts';
import type { Settings } from './settings.ts';

export interface AccessOptions {
  readonly settings: Settings;
  readonly logger: Logger;
  readonly engine: Pick<Engine, 'describe'>;
}

/** How the provider and the apps reach that server; starts the embedded one when it is asked for. */
export function addonServerAccess({ settings, logger, engine }: AccessOptions): ServerAccess {
  const url = settings.postgresAddonUrl?.reveal();
  let starting: Promise<EmbeddedPostgres> | null = null;
  const embedded = async (): Promise<EmbeddedPostgres> => {
    starting ??= startAddonServer(settings, logger).catch((error: unknown) => {
      starting = null;
      throw error;
    });
    const server = await starting;
    await server.ensure();
    return server;
  };
  return {
    administrator: async () => (url === undefined ? (await embedded()).connection : { connectionString: url }),
    async addressForApps() {
      const port = addonHostPort(settings);
      if (url !== undefined && port === null) {
        const { hostname, port: own } = new URL(url);
        return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(own || 5432) };
      }
      const { isolation } = await engine.describe();
      const apart = isolation.some(({ what, inForce }) => what === 'network' && inForce);
      return { host: apart ? HOST_NAME : '127.0.0.1', port: port ?? settings.postgresAddonPort };
    },
    // The embedded one is made for this, so only a server that somebody named can be the wrong one.
    platformCluster: async () => (url === undefined ? null : clusterOf(await databaseConnection(settings, logger))),
  };
}

async function clusterOf(connection: pg.ClientConfig): Promise<string | null> {
  const client = new pg.Client({ ...connection, connectionTimeoutMillis: 10_000 });
  client.on('error', () => {});
  try {
    await client.connect();
    const { rows } = await client.query<{ id: string }>(
      'select system_identifier::text as id from pg_control_system()',
    );
    return rows[0]?.id ?? null;
  } finally {
    await client.end().catch(() => {});
  }
}
