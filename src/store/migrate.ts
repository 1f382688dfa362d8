/**
 * Forward-only migrations: `NNNN-name.sql` in order, each in one transaction with the row that remembers it. Two starters at once: one
 * waits for the other. A file that was changed after it was applied stops the start.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { type ConnectionOptions, clientConfig } from './connection.ts';

/** Any constant will do, as long as nothing else in the database takes the same advisory lock. */
const LOCK = 7_700_001;

interface Migration {
  readonly name: string;
  readonly text: string;
  readonly hash: string;
}

/**
 * Brings the database to the newest of the folder's migrations; resolves with the names it applied. Throws when an applied one was changed
 * or is missing (a newer version of the platform was here), or when one fails, which then leaves nothing behind.
 */
export async function migrate(options: ConnectionOptions, folder: string): Promise<readonly string[]> {
  const migrations = await readMigrations(folder);
  const client = new pg.Client({ ...clientConfig(options), statement_timeout: 0, query_timeout: 0 });
  await client.connect();
  try {
    await client.query('select pg_advisory_lock($1)', [LOCK]);
    return await applyMissing(client, migrations);
  } finally {
    // Ending the session gives the lock back.
    await client.end();
  }
}

async function readMigrations(folder: string): Promise<readonly Migration[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort();
  const numbers = new Set(names.map((name) => name.slice(0, 4)));
  if (numbers.size !== names.length || !names.every((name) => /^\d{4}-[a-z0-9-]+\.sql$/.test(name)))
    throw new Error(`migrations in ${folder} must be named NNNN-name.sql, each number once`);
  return Promise.all(
    names.map(async (name) => {
      const text = await readFile(join(folder, name), 'utf8');
      return { name, text, hash: createHash('sha256').update(text).digest('hex') };
    }),
  );
}

async function applyMissing(client: pg.Client, migrations: readonly Migration[]): Promise<readonly string[]> {
  await client.query(`create table if not exists migrations (
    name text primary key, hash text not null, applied_at timestamptz(3) not null default clock_timestamp())`);
  const { rows } = await client.query<{ name: string; hash: string }>(
    'select name, hash from migrations order by name',
  );
  const applied = new Map(rows.map((row) => [row.name, row.hash]));
  for (const name of applied.keys()) {
    if (!migrations.some((migration) => migration.name === name))
      throw new Error(`the database has migration ${name}, which this version does not know: start a newer version`);
  }
  const done: string[] = [];
  for (const { name, text, hash } of migrations) {
    const known = applied.get(name);
    if (known === hash) continue;
    if (known !== undefined) throw new Error(`migration ${name} was changed after it was applied`);
    await client.query('begin');
    try {
      await client.query(text);
      await client.query('insert into migrations (name, hash) values ($1, $2)', [name, hash]);
      await client.query('commit');
    } catch (error) {
      await client.query('rollback').catch(() => {});
      throw new Error(`migration ${name} failed: ${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
      });
    }
    done.push(name);
  }
  return done;
}
