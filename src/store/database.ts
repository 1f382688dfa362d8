/** Opens the database that the core keeps its desired state in. */
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Kysely, sql } from 'kysely';
import { unavailable } from '../core/errors.ts';
import type { Database, Stores } from '../core/ports/database.ts';
import type { SecretBox } from '../core/ports/secret.ts';
import type { Logger } from '../lib/logger.ts';
import { type ConnectionOptions, openPool, queriesOver } from './connection.ts';
import { isRetryable, translate } from './failures.ts';
import { migrate } from './migrate.ts';
import type { Schema } from './schema.ts';
import { createStores } from './stores.ts';
import { Wakes } from './wakes.ts';

export type { ConnectionOptions } from './connection.ts';

/** The migrations that belong to this version. */
export const migrationsFolder = fileURLToPath(new URL('../../migrations/', import.meta.url));

export interface DatabaseOptions {
  readonly connection: ConnectionOptions;
  /** Seals config and build sources; the same key for ever. */
  readonly box: SecretBox;
  readonly logger: Logger;
  /** Connections for queries; one more hears wakes. Default 10. */
  readonly poolSize?: number;
  /** False leaves the schema as it is. Default true. */
  readonly migrate?: boolean;
}

const DEFAULT_POOL_SIZE = 10;
const ATTEMPTS = 6;
const RETRY_MS = 5;

/**
 * Migrates, connects and starts to hear wakes. Throws `unavailable` when the database cannot be reached; then nothing stays open.
 */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const { connection, box, logger } = options;
  const wakes = new Wakes(connection, logger);
  try {
    if (options.migrate ?? true) {
      const applied = await migrate(connection, migrationsFolder);
      if (applied.length > 0) logger.info({ applied }, 'the database was migrated');
    }
    await wakes.open();
  } catch (error) {
    await wakes.close();
    throw translate(error);
  }
  const pool = openPool(connection, options.poolSize ?? DEFAULT_POOL_SIZE, (error) =>
    logger.warn({ reason: error.message }, 'an idle connection to the database was lost'),
  );
  const db = queriesOver(pool);
  return {
    ...createStores(db, box),
    transaction: (work) => transaction(db, box, work),
    onWake: (listener) => wakes.listen(listener),
    async ping() {
      await sql`select 1`.execute(db);
    },
    async close() {
      await wakes.close();
      await db.destroy();
    },
  };
}

/** A transaction that lost against another one is done again from its start, so `work` must be no more than its statements. */
async function transaction<T>(db: Kysely<Schema>, box: SecretBox, work: (stores: Stores) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await db.transaction().execute((one) => work(createStores(one, box)));
    } catch (error) {
      if (!isRetryable(error)) throw error;
      if (attempt === ATTEMPTS) throw unavailable('the database is too busy, try again', error);
      await delay(RETRY_MS * attempt * attempt);
    }
  }
}
