import assert from 'node:assert/strict';
import { test } from 'node:test';
import pg from 'pg';
import { postgresService } from '../../src/addons/postgres/default-service.ts';
import { createPostgresProvider } from '../../src/addons/postgres/postgres-provider.ts';
import type { ProviderAddon } from '../../src/core/ports/addon-provider.ts';
import { Secret } from '../../src/core/ports/secret.ts';
import { systemIds } from '../../src/lib/clock.ts';
import { addonServer } from '../support/addon-server.ts';
import { until } from '../support/until.ts';
import { addService, workbench } from './workbench.ts';

const signal = new AbortController().signal;
const MEBIBYTE = 1024 * 1024;

async function provider(platformCluster: string | null = null) {
  const { server, port } = await addonServer();
  return createPostgresProvider({
    administrator: async () => server.connection,
    addressForApps: async () => ({ host: '127.0.0.1', port }),
    platformCluster: async () => platformCluster,
  });
}

const addon = (limits: Partial<ProviderAddon['plan']['limits']> = {}): ProviderAddon => ({
  addonId: systemIds.id(),
  name: 'database',
  secret: new Secret(systemIds.token(32)),
  resourceId: null,
  config: {},
  plan: { name: 'small', limits: { storageBytes: null, connections: null, ...limits } },
  service: { name: 'postgresql', manifest: null },
  teamName: 'team',
  parameters: {},
  ownerApp: null,
});

const binding = () => ({ bindingId: systemIds.id(), app: { id: systemIds.id(), handle: 'app' } });

async function ask(url: string, ...statements: readonly string[]): Promise<readonly unknown[]> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  client.on('error', () => {});
  try {
    await client.connect();
    let rows: readonly unknown[] = [];
    for (const statement of statements) rows = (await client.query(statement)).rows;
    return rows;
  } finally {
    await client.end().catch(() => {});
  }
}

test('each add-on is a database that only its own role enters, whoever asks twice gets the same', async (t) => {
  const postgres = await provider();
  t.after(() => postgres.close());
  const [one, two] = [addon({ connections: 2 }), addon()];
  const made = await postgres.provision(one, signal);
  assert.deepEqual(await postgres.provision(one, signal), made);
  await postgres.provision(two, signal);
  const url = (await postgres.bind(one, binding(), signal)).DATABASE_URL?.reveal() ?? '';
  const otherUrl = (await postgres.bind(two, binding(), signal)).DATABASE_URL?.reveal() ?? '';
  assert.equal((await postgres.bind(one, binding(), signal)).DATABASE_URL?.reveal(), url);
  await ask(url, 'create table notes (text text)', "insert into notes values ('mine')");
  assert.deepEqual(await ask(url, 'select text from notes'), [{ text: 'mine' }]);

  const { username, password, port, pathname } = new URL(url);
  const other = new URL(otherUrl);
  const at = (database: string) => `postgres://${username}:${password}@127.0.0.1:${port}/${database}`;
  await assert.rejects(ask(at(other.pathname.slice(1)), 'select 1'), /pg_hba|permission denied/);
  await assert.rejects(ask(at('postgres'), 'select 1'), /pg_hba|permission denied/);
  await assert.rejects(ask(`postgres://${username}:wrong@127.0.0.1:${port}${pathname}`, 'select 1'), /password/);
  const { server } = await addonServer();
  const root = `postgres://${server.user}:${server.connection.password}@127.0.0.1:${port}/${server.database}`;
  await assert.rejects(ask(root, 'select 1'), /pg_hba/, 'the superuser does not come over TCP');
  await assert.rejects(ask(url, 'create role other'), /permission denied/);
  await assert.rejects(ask(url, 'create database other'), /permission denied/);

  const sessions = [0, 1].map(() => new pg.Client({ connectionString: url }));
  await Promise.all(sessions.map((session) => session.connect()));
  await assert.rejects(ask(url, 'select 1'), /too many connections/);
  await Promise.all(sessions.map((session) => session.end()));
  const larger = { ...one, plan: { name: 'large', limits: { storageBytes: null, connections: 5 } } };
  await postgres.changePlan(larger, signal);
  assert.deepEqual(await ask(url, 'select rolconnlimit as n from pg_roles where rolname = current_user'), [{ n: 5 }]);

  const client = new pg.Client({ connectionString: url });
  const cut = new Promise((resolve) => client.on('error', resolve));
  await client.connect();
  await postgres.deprovision(one, signal);
  await cut;
  await postgres.deprovision(one, signal);
  await assert.rejects(ask(url, 'select 1'), /password authentication failed|does not exist/);
  assert.deepEqual(await ask(otherUrl, 'select 1 as one'), [{ one: 1 }], 'another add-on is untouched');
  await postgres.deprovision(two, signal);
});

test('the server keeps a verifier and never sees the password', async (t) => {
  const postgres = await provider();
  t.after(() => postgres.close());
  const one = addon();
  await postgres.provision(one, signal);
  const url = new URL((await postgres.bind(one, binding(), signal)).DATABASE_URL?.reveal() ?? '');
  const { server } = await addonServer();
  const client = new pg.Client(server.connection);
  await client.connect();
  const { rows } = await client.query('select rolpassword from pg_authid where rolname = $1', [url.username]);
  await client.end();
  assert.match(String(rows[0]?.rolpassword), /^SCRAM-SHA-256\$4096:/);
  assert.ok(!String(rows[0]?.rolpassword).includes(url.password));
  await postgres.deprovision(one, signal);
});

test('an administrator that may only make roles and databases is enough', async (t) => {
  const { server, port } = await addonServer();
  const root = new pg.Client(server.connection);
  await root.connect();
  await root.query("create role maker login createdb createrole password 'a maker password'");
  await root.query('create database maker owner maker');
  const postgres = createPostgresProvider({
    administrator: async () => ({ connectionString: `postgres://maker:a%20maker%20password@127.0.0.1:${port}/maker` }),
    addressForApps: async () => ({ host: '127.0.0.1', port }),
    platformCluster: async () => null,
  });
  t.after(async () => {
    await postgres.close();
    await root.query('drop database maker with (force)');
    await root.query('drop role maker');
    await root.end();
  });
  const one = addon({ connections: 3 });
  await postgres.provision(one, signal);
  await postgres.provision(one, signal);
  const url = (await postgres.bind(one, binding(), signal)).DATABASE_URL?.reveal() ?? '';
  await ask(url, 'create table notes (text text)');
  assert.ok((await postgres.measure(one)).storageBytes > 0);
  await postgres.restrict(one, true);
  await assert.rejects(ask(url, 'create table more (n int)'), /read-only transaction/);
  assert.equal((await postgres.measure(one)).restricted, true);
  await postgres.restrict(one, false);
  await ask(url, 'create table more (n int)');
  await postgres.deprovision(one, signal);
  await assert.rejects(ask(url, 'select 1'));
});

test('the server of the platform’s own state is refused', async (t) => {
  const { server } = await addonServer();
  const client = new pg.Client(server.connection);
  await client.connect();
  const { rows } = await client.query<{ id: string }>('select system_identifier::text as id from pg_control_system()');
  await client.end();
  const postgres = await provider(rows[0]?.id ?? '');
  t.after(() => postgres.close());
  await assert.rejects(postgres.provision(addon(), signal), /holds the state of the platform/);
});

test('a database over its plan only reads, says so in its apps’ logs, and writes again when it holds less', async (t) => {
  const postgres = await provider();
  t.after(() => postgres.close());
  const bench = await workbench(t, { postgres });
  const { core } = bench;
  const limits = { storageBytes: 12 * MEBIBYTE, connections: 4 };
  await addService(bench, 'postgres', { name: 'postgresql' }, [
    { name: 'small', limits },
    { name: 'large', limits: { storageBytes: 64 * MEBIBYTE, connections: 8 } },
  ]);
  const ann = await bench.person('ann');
  const app = await bench.createApp(ann, 'shop', 'ann');
  const made = await core.addons.create(ann, { app, service: 'postgresql', plan: 'small' });
  await bench.done(made.operation);
  const url = (await bench.environment(app)).DATABASE_URL ?? '';
  const fill = 'create table filled as select repeat(md5(n::text), 32) as text from generate_series(1, 12000) as n';
  const logged = async (): Promise<readonly string[]> => {
    const lines: string[] = [];
    for await (const batch of await bench.logs.read(`apps/${app}`, { lines: 100, follow: false }))
      lines.push(...batch.lines.map((line) => line.text));
    return lines;
  };
  await bench.watch.round();
  assert.equal((await core.addons.get(ann, made.addon.id)).overLimit, false);

  await ask(url, fill);
  await bench.watch.round();
  assert.equal((await core.addons.get(ann, made.addon.id)).overLimit, true);
  await assert.rejects(ask(url, 'create table more (n int)'), /read-only transaction/);
  assert.deepEqual(await ask(url, 'select count(*)::int as n from filled'), [{ n: 12_000 }]);
  await bench.watch.round();
  const over = () =>
    logged().then((lines) => lines.filter((line) => line.includes('more than the 12 MiB of its plan')));
  await until('it is said once', async () => (await over()).length === 1);

  await t.test('its owner may delete what is too much', async () => {
    await ask(url, 'set default_transaction_read_only = off', 'drop table filled');
    await bench.watch.round();
    assert.equal((await core.addons.get(ann, made.addon.id)).overLimit, false);
    await ask(url, 'create table more (n int)');
    await until('that is said too', async () => (await logged()).some((line) => line.includes('can be written to')));
  });

  await t.test('or take a larger plan', async () => {
    await ask(url, fill);
    await bench.watch.round();
    await assert.rejects(ask(url, 'insert into more values (1)'), /read-only transaction/);
    await bench.done((await core.addons.upgrade(ann, made.addon.id, 'large')).operation);
    await ask(url, 'insert into more values (1)');
    await bench.watch.round();
    assert.equal((await core.addons.get(ann, made.addon.id)).overLimit, false);
  });

  await bench.done((await core.addons.remove(ann, made.addon.id)).operation);
  await assert.rejects(ask(url, 'select 1'));
});

test('the catalogue of a new install has it', () => {
  const { service, plans } = postgresService(systemIds.id, new Date(0));
  assert.equal(service.provider, 'postgres');
  assert.ok(
    plans.every((plan) => (plan.limits.connections ?? 0) > 0 && (plan.limits.storageBytes ?? 0) > 16 * MEBIBYTE),
  );
});
