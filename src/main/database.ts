/** The database of this install: the one named by the settings, or the embedded one, started or adopted. */

import type { Database } from '../core/ports/database.ts';
import type { SecretBox } from '../core/ports/secret.ts';
import type { Logger } from '../lib/logger.ts';
import { type ConnectionOptions, openDatabase } from '../store/database.ts';
import { startEmbeddedPostgres } from '../store/embedded/start.ts';
import type { Settings } from './settings.ts';

export async function connectDatabase(settings: Settings, box: SecretBox, logger: Logger): Promise<Database> {
  return openDatabase({ connection: await databaseConnection(settings, logger), box, logger });
}

export async function databaseConnection(settings: Settings, logger: Logger): Promise<ConnectionOptions> {
  const url = settings.databaseUrl?.reveal();
  return url === undefined
    ? (await startEmbeddedPostgres({ dataFolder: settings.data, logger })).connection
    : { connectionString: url };
}
