/** The database of this install: the one named by the settings, or the embedded one, started or adopted. */

import type { Database } from '../core/ports/database.ts';
import type { SecretBox } from '../core/ports/secret.ts';
import type { Logger } from '../lib/logger.ts';
import { openDatabase } from '../store/database.ts';
import { startEmbeddedPostgres } from '../store/embedded/start.ts';
import type { Settings } from './settings.ts';

export async function connectDatabase(settings: Settings, box: SecretBox, logger: Logger): Promise<Database> {
  const url = settings.databaseUrl?.reveal();
  const connection =
    url === undefined
      ? (await startEmbeddedPostgres({ dataFolder: settings.data, logger })).connection
      : { connectionString: url };
  return openDatabase({ connection, box, logger });
}
