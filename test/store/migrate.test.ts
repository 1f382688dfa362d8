import assert from 'node:assert/strict';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { silentLogger } from '../../src/lib/logger.ts';
import { type ConnectionOptions, migrationsFolder, openDatabase } from '../../src/store/database.ts';
import { migrate } from '../../src/store/migrate.ts';
import { testBox, testConnection, withClient } from '../support/postgres.ts';

/** A database without a table, and a folder with the real migrations that may be changed. */
async function fresh(t: TestContext): Promise<{ connection: ConnectionOptions; folder: string }> {
  const connection = await testConnection(t);
  await withClient(connection, (client) => client.query('drop schema public cascade; create schema public'));
  const folder = await mkdtemp(join(tmpdir(), 'berth-migrations-'));
  t.after(() => rm(folder, { recursive: true }));
  await cp(migrationsFolder, folder, { recursive: true });
  return { connection, folder };
}

test('two that start at once apply each migration once', async (t) => {
  const { connection, folder } = await fresh(t);
  const results = await Promise.all([
    migrate(connection, folder),
    migrate(connection, folder),
    migrate(connection, folder),
  ]);
  const applied = results.flat();
  assert.ok(applied.length >= 3);
  assert.equal(new Set(applied).size, applied.length);
  assert.deepEqual(await migrate(connection, folder), []);
  const db = await openDatabase({ connection, box: testBox, logger: silentLogger });
  assert.equal(await db.users.count(), 0);
  await db.close();
});

test('a migration that fails leaves nothing behind and the ones before it in force', async (t) => {
  const { connection, folder } = await fresh(t);
  await writeFile(join(folder, '9000-half.sql'), 'create table half (id int); select 1/0;');
  await assert.rejects(migrate(connection, folder), /migration 9000-half.sql failed: division by zero/);
  const { rows } = await withClient(connection, (client) =>
    client.query(`select to_regclass('half') as half, to_regclass('apps') as apps`),
  );
  assert.deepEqual(rows, [{ half: null, apps: 'apps' }]);
  await writeFile(join(folder, '9000-half.sql'), 'create table half (id int)');
  assert.deepEqual(await migrate(connection, folder), ['9000-half.sql']);
  await writeFile(join(folder, '9000-half.sql'), 'create table half (id bigint)');
  await assert.rejects(migrate(connection, folder), /9000-half.sql was changed after it was applied/);
  await rm(join(folder, '9000-half.sql'));
  await assert.rejects(migrate(connection, folder), /start a newer version/);
  await writeFile(join(folder, 'later.sql'), '');
  await assert.rejects(migrate(connection, folder), /NNNN-name/);
});

test('a database that cannot be reached is unavailable, and nothing stays open', async () => {
  const connection = { host: join(tmpdir(), 'no-such-folder'), user: 'x', database: 'x' };
  await assert.rejects(openDatabase({ connection, box: testBox, logger: silentLogger }), { kind: 'unavailable' });
});
