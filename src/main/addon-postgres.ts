/**
 * The server that holds the databases of PostgreSQL add-ons: the one named by the settings, or an embedded one of its own, which nothing
 * starts before the first add-on. It is never the one that holds the state of the platform.
 */
import { access, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';
import type { ServerAccess } from '../addons/postgres/server-access.ts';
import { BerthError } from '../core/errors.ts';
import type { Engine } from '../core/ports/engine.ts';
import type { Logger } from '../lib/logger.ts';
import { type EmbeddedOptions, type EmbeddedPostgres, startEmbeddedPostgres } from '../store/embedded/start.ts';
import { databaseConnection } from './database.ts';
import type { Settings } from './settings.ts';

const WATCH_MS = 1_000;
const CONNECTIONS = '200';
/** What instances call the host where they have a network of their own. */
export const HOST_NAME = 'host.berth.internal';
const loopback = /^(?:127\.|localhost$|\[?::1\]?$)/;

type AddonSettings = Pick<Settings, 'data' | 'postgresAddonUrl' | 'postgresAddonPort' | 'databaseUrl'>;

/** Throws `invalid` for a URL that is none, or that names the server of the platform's own state. */
export function checkAddonSettings(settings: AddonSettings): void {
  const own = settings.postgresAddonUrl?.reveal();
  if (own === undefined) return;
  const refuse = (words: string): never => {
    throw new BerthError('invalid', `BERTH_POSTGRES_ADDON_URL ${words}`, { field: 'BERTH_POSTGRES_ADDON_URL' });
  };
  if (!URL.canParse(own) || !/^postgres(?:ql)?:$/.test(new URL(own).protocol) || new URL(own).hostname === '')
    refuse('must be a URL: postgres://user:password@host:port/database');
  const platform = settings.databaseUrl?.reveal();
  if (platform !== undefined && URL.canParse(platform) && placeOf(own) === placeOf(platform))
    refuse('names the server that holds the state of the platform; give another one');
}

const placeOf = (url: string): string => {
  const { hostname, port } = new URL(url);
  return `${loopback.test(hostname) ? 'localhost' : hostname}:${port === '' ? 5432 : port}`;
};

/** The port of the host's loopback that apps must reach for their databases, or null when those are on another machine. */
export function addonHostPort(settings: AddonSettings): number | null {
  if (settings.postgresAddonUrl === null) return settings.postgresAddonPort;
  const { hostname, port } = new URL(settings.postgresAddonUrl.reveal());
  return loopback.test(hostname) ? Number(port || 5432) : null;
}

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

const folderOf = (settings: AddonSettings): string => join(settings.data, 'addons');
/** There from the first add-on on: then `berth up` starts the server and keeps it running. */
const noteOf = (settings: AddonSettings): string => join(folderOf(settings), 'postgres-in-use');

async function startAddonServer(settings: AddonSettings, logger: Logger): Promise<EmbeddedPostgres> {
  const folder = folderOf(settings);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const options: EmbeddedOptions = {
    dataFolder: folder,
    logger: logger.child({ database: 'add-ons' }),
    tcpPort: settings.postgresAddonPort,
    settings: { max_connections: CONNECTIONS },
  };
  const server = await startEmbeddedPostgres(options);
  await writeFile(noteOf(settings), '');
  return server;
}

/** Part of `berth up`: from its first use on the embedded server runs as long as the platform does. */
export function superviseAddonServer(settings: Settings, logger: Logger): { stop(): Promise<void> } {
  if (settings.postgresAddonUrl !== null) return { stop: async () => {} };
  const abort = new AbortController();
  let server: EmbeddedPostgres | null = null;
  const look = async (): Promise<void> => {
    if (server !== null) return server.ensure();
    const inUse = await access(noteOf(settings)).then(
      () => true,
      () => false,
    );
    if (inUse) server = await startAddonServer(settings, logger);
  };
  const watch = (async () => {
    while (!abort.signal.aborted) {
      await look().catch((error: unknown) => {
        logger.error({ err: error }, 'the server of the database add-ons could not be started; it is tried again');
      });
      await wait(WATCH_MS, undefined, { signal: abort.signal }).catch(() => {});
    }
  })();
  return {
    async stop(): Promise<void> {
      abort.abort();
      await watch;
      // The first add-on may have been made since the last look.
      await look().catch(() => {});
      await server?.stop();
    },
  };
}
