/** Opens the install that the settings name, for commands that run beside its server: nothing is made, started or migrated. */
import { access } from 'node:fs/promises';
import { BerthError, unavailable } from '../../core/errors.ts';
import type { Database } from '../../core/ports/database.ts';
import type { SecretBox } from '../../core/ports/secret.ts';
import { systemClock, systemIds } from '../../lib/clock.ts';
import { createLogger } from '../../lib/logger.ts';
import { type ConnectionOptions, openDatabase } from '../../store/database.ts';
import { adoptEmbeddedPostgres } from '../../store/embedded/start.ts';
import { openDataFolder } from '../data-folder.ts';
import { secretBox } from '../secret-key.ts';
import type { Settings } from '../settings.ts';
import type { Install } from './topic.ts';

const CONNECTIONS = 2;

export interface OpenInstall extends Install {
  close(): Promise<void>;
}

/** Throws `unavailable` when no platform runs there, `invalid` when its key is not there. */
export async function openInstall(settings: Settings): Promise<OpenInstall> {
  const level = settings.logLevel === 'auto' ? 'warn' : settings.logLevel;
  const logger = createLogger({ name: 'operate', level, readable: settings.logFormat !== 'json' });
  const box = await boxOf(settings);
  const connection = await connectionOf(settings, logger);
  const db: Database = await openDatabase({ connection, box, logger, poolSize: CONNECTIONS, migrate: false });
  return { context: { db, clock: systemClock, ids: systemIds, box }, settings, logger, close: () => db.close() };
}

/** A key that is missing is not made: what it would open was sealed with another one. */
async function boxOf(settings: Settings): Promise<SecretBox> {
  const nothing = new BerthError(
    'invalid',
    `no platform was started on ${settings.data}; say where it lies by BERTH_DATA`,
    {
      field: 'BERTH_DATA',
    },
  );
  if (!(await isThere(settings.data))) throw nothing;
  const folder = await openDataFolder(settings.data);
  if (settings.secretKey === null && !(await isThere(folder.key))) throw nothing;
  return secretBox(settings, folder);
}

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

async function connectionOf(settings: Settings, logger: Install['logger']): Promise<ConnectionOptions> {
  const url = settings.databaseUrl?.reveal();
  if (url !== undefined) return { connectionString: url };
  const server = await adoptEmbeddedPostgres({ dataFolder: settings.data, logger });
  if (server === null) throw unavailable(`the platform on ${settings.data} does not run; start it first (berth up)`);
  return server.connection;
}
