/**
 * A database of its own for each test, on one embedded server for the whole test file. The server is started when first asked for and
 * ends with the file; one that was left by a killed test run is ended by the next.
 */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext } from 'node:test';
import pg from 'pg';
import type { Database } from '../../src/core/ports/database.ts';
import { Secret, type SecretBox } from '../../src/core/ports/secret.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { createSecretBox } from '../../src/lib/secret-box.ts';
import { type ConnectionOptions, migrationsFolder, openDatabase } from '../../src/store/database.ts';
import { isAlive, stopServer } from '../../src/store/embedded/postmaster.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/store/embedded/start.ts';
import { migrate } from '../../src/store/migrate.ts';

export interface TestDatabase {
  readonly db: Database;
  readonly connection: ConnectionOptions;
  readonly box: SecretBox;
}

const PREFIX = 'berth-test-postgres-';

/** Seals with a key that everybody knows. */
export const testBox: SecretBox = createSecretBox(Buffer.alloc(32, 7), (text) => new Secret(text));

let starting: Promise<EmbeddedPostgres> | null = null;
let folder: string | null = null;
let count = 0;

after(async () => {
  const server = await starting?.catch(() => null);
  await server?.stop();
  if (folder !== null) await rm(folder, { recursive: true, force: true });
});

/** The server that the tests of this file share; the platform's tables are in its database `berth`, which serves as a template. */
export function testServer(): Promise<EmbeddedPostgres> {
  starting ??= start();
  return starting;
}

async function start(): Promise<EmbeddedPostgres> {
  await endLeftovers();
  folder = await mkdtemp(join(tmpdir(), `${PREFIX}${process.pid}-`));
  const server = await startEmbeddedPostgres({
    dataFolder: folder,
    logger: silentLogger,
    durable: false,
    // Only a power cut could tell the difference.
    settings: { fsync: 'off', full_page_writes: 'off' },
    ...(process.env.PATH === undefined ? {} : { path: process.env.PATH }),
  });
  await migrate(server.connection, migrationsFolder);
  return server;
}

async function endLeftovers(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const pid = new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1];
    if (pid === undefined || (await isAlive(Number(pid)))) continue;
    const left = join(tmpdir(), name);
    await stopServer(join(left, 'postgres', 'cluster'));
    await rm(left, { recursive: true, force: true });
  }
}

/** An empty database with the platform's tables, dropped when the test ends. */
export async function testConnection(t: Pick<TestContext, 'after'>): Promise<ConnectionOptions> {
  const server = await testServer();
  count += 1;
  const database = `test_${process.pid}_${count}`;
  await onServer(server, `create database ${database} template berth`);
  t.after(() => onServer(server, `drop database ${database} with (force)`));
  return { ...server.connection, database };
}

/** The store over a database of the test's own; closed and dropped when the test ends. */
export async function testDatabase(t: Pick<TestContext, 'after'>, poolSize = 4): Promise<TestDatabase> {
  let opened: Database | null = null;
  // Registered first, so it runs before the database is dropped.
  t.after(() => opened?.close());
  const connection = await testConnection(t);
  opened = await openDatabase({ connection, box: testBox, logger: silentLogger, poolSize, migrate: false });
  return { db: opened, connection, box: testBox };
}

/** Runs work on a plain connection, for what no store offers. */
export async function withClient<T>(
  connection: ConnectionOptions,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client(connection);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

const onServer = async (server: EmbeddedPostgres, statement: string): Promise<void> => {
  await withClient({ ...server.connection, database: 'postgres' }, (client) => client.query(statement));
};
