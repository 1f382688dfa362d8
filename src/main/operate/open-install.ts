/** Opens the install that the settings name, for commands that run beside its server: nothing is made, started or migrated. */
import { access } from 'node:fs/promises';
import { BerthError, unavailable } from '../../core/errors.ts';
import type { Database } from '../../core/ports/database.ts';
import { Secret } from '../../core/ports/secret.ts';
import { systemClock, systemIds } from '../../lib/clock.ts';
import { createLogger } from '../../lib/logger.ts';
import { createSecretBox, loadOrCreateKey } from '../../lib/secret-box.ts';
import { type ConnectionOptions, openDatabase } from '../../store/database.ts';
import { adoptEmbeddedPostgres } from '../../store/embedded/start.ts';
import { openDataFolder } from '../data-folder.ts';
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
  const box = createSecretBox(await keyOf(settings), (text) => new Secret(text));
  const connection = await connectionOf(settings, logger);
  const db: Database = await openDatabase({ connection, box, logger, poolSize: CONNECTIONS, migrate: false });
  return { context: { db, clock: systemClock, ids: systemIds, box }, settings, logger, close: () => db.close() };
}

async function keyOf(settings: Settings): Promise<Buffer> {
  if (settings.secretKey !== null) return Buffer.from(settings.secretKey.reveal(), 'hex');
  const isThere = await access(settings.data).then(
    () => true,
    () => false,
  );
  const file = isThere ? (await openDataFolder(settings.data)).key : null;
  const hasKey =
    file !== null &&
    (await access(file).then(
      () => true,
      () => false,
    ));
  if (file === null || !hasKey)
    throw new BerthError('invalid', `no platform was started on ${settings.data}; say where it lies by BERTH_DATA`, {
      field: 'BERTH_DATA',
    });
  return loadOrCreateKey(file);
}

async function connectionOf(settings: Settings, logger: Install['logger']): Promise<ConnectionOptions> {
  const url = settings.databaseUrl?.reveal();
  if (url !== undefined) return { connectionString: url };
  const server = await adoptEmbeddedPostgres({ dataFolder: settings.data, logger });
  if (server === null) throw unavailable(`the platform on ${settings.data} does not run; start it first (berth up)`);
  return server.connection;
}
