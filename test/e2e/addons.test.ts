// test-timeout: 300
import assert from 'node:assert/strict';
import { test } from 'node:test';
import pg from 'pg';
import { systemActor } from '../../src/core/access/actor.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { startEmbeddedPostgres } from '../../src/store/embedded/start.ts';
import { untilLogged } from '../support/app-log.ts';
import { askDatabase, type DatabaseAnswer, databaseApp } from '../support/database-app.ts';
import { createApp, deploy } from '../support/deploy.ts';
import { startPlatform } from '../support/platform.ts';
import { platformCore } from '../support/platform-core.ts';
import { until } from '../support/until.ts';

test('an app gets a database, keeps it over an upgrade, and loses it with the add-on; a killed server goes on where it was', async (t) => {
  const platform = await startPlatform(t);
  const { core, db } = await platformCore(t, platform);
  const path = await createApp(platform, 'ledger');
  const { release } = await deploy(platform, path, await databaseApp());
  assert.equal(release.status, 'succeeded');
  assert.deepEqual(await askDatabase(platform, 'ledger', 'select 1'), { missing: true });

  // Killed before it can have done anything: whoever comes back finds the operation.
  const made = await core.addons.create(systemActor, { app: 'ledger', service: 'postgresql', plan: 'free' });
  process.kill(await until('the server is there', () => platform.pidOf('server')), 'SIGKILL');
  const created = await core.addons.whenDone(made.operation, 60_000);
  assert.equal(created.status, 'succeeded', created.error ?? '');
  const name = `addon_${made.addon.id.replaceAll('-', '')}`;
  // An instance from before the variable may answer until the last of the router's workers was told of the new one.
  const query = (sql: string): Promise<DatabaseAnswer> =>
    until(
      'an instance with the variable answers',
      async () => {
        const answer = await askDatabase(platform, 'ledger', sql);
        return answer.missing === true ? null : answer;
      },
      60_000,
    );
  const found = await query('select current_user as who, current_database() as what');
  assert.deepEqual(found.rows, [{ who: name, what: name }], JSON.stringify(found));
  const apart = /isolation +[^;\n]*\bnetwork\b/.test(platform.output());
  assert.equal(found.host, apart ? 'host.berth.internal' : '127.0.0.1');

  await t.test('it really keeps what the app writes', async () => {
    await query('create table entries (amount int)');
    await query('insert into entries values (7), (8)');
    const { rows } = await query('select sum(amount)::int as total from entries');
    assert.deepEqual(rows, [{ total: 15 }]);
  });

  await t.test('an upgrade changes the limit, nothing else', async () => {
    const limit = 'select rolconnlimit as connections from pg_roles where rolname = current_user';
    assert.deepEqual((await query(limit)).rows, [{ connections: 10 }]);
    const { operation } = await core.addons.upgrade(systemActor, made.addon.id, 'standard-0');
    assert.equal((await core.addons.whenDone(operation, 30_000)).status, 'succeeded');
    assert.deepEqual((await query(limit)).rows, [{ connections: 20 }]);
    assert.equal((await core.addons.get(systemActor, made.addon.id)).planName, 'standard-0');
    assert.equal((await query('select * from entries')).rows?.length, 2);
  });

  await t.test('what the platform says of it is in the log of the app', async () => {
    await untilLogged(platform, path, /Add-on postgresql-\w+ \(postgresql:free\) is ready/);
    await untilLogged(platform, path, /has the plan standard-0 now/);
  });

  await t.test('the server comes back after a crash of its own', async () => {
    const server = await startEmbeddedPostgres({
      dataFolder: `${platform.dataFolder}/addons`,
      logger: silentLogger,
      tcpPort: platform.port + 32,
    });
    const before = await until('the server is there', () => server.pid());
    process.kill(before, 'SIGKILL');
    await until('another process serves it', async () => ![null, before].includes(await server.pid()), 30_000);
    await until('the app reads again', async () => (await query('select * from entries')).rows?.length === 2, 30_000);
  });

  await t.test('with the add-on go the variable and the database', async () => {
    const { operation } = await core.addons.remove(systemActor, made.addon.id);
    process.kill(await until('the server is there', () => platform.pidOf('server')), 'SIGKILL');
    assert.equal((await core.addons.whenDone(operation, 60_000)).status, 'succeeded');
    await until(
      'the app has no variable',
      async () => (await askDatabase(platform, 'ledger', 'select 1')).missing === true,
      60_000,
    );
    assert.deepEqual(await db.addons.ofApp(made.addon.appId ?? ''), []);
    const { connection } = await startEmbeddedPostgres({
      dataFolder: `${platform.dataFolder}/addons`,
      logger: silentLogger,
      tcpPort: platform.port + 32,
    });
    const client = new pg.Client(connection);
    await client.connect();
    const left = await client.query('select datname from pg_database where datname = $1', [name]);
    const roles = await client.query('select rolname from pg_roles where rolname = $1', [name]);
    await client.end();
    assert.deepEqual([left.rows, roles.rows], [[], []]);
  });
});
