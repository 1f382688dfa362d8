import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { App } from '../../src/core/apps/app.ts';
import type { AppName, Handle, Hostname, ProcessType, SpaceName } from '../../src/core/names.ts';
import { testDatabase, withClient } from '../support/postgres.ts';
import {
  app,
  at,
  awkward,
  ground,
  id,
  insertedApp,
  later,
  operation,
  pool,
  process,
  size,
  space,
  team,
} from './nouns.ts';

const conflict = (code: string) => (error: { kind: string; details: { code: string } }) =>
  error.kind === 'conflict' && error.details.code === code;

test('pools and sizes: found by id and name, one default', async (t) => {
  const { db } = await testDatabase(t);
  const [a, b] = [pool(), pool({ isDefault: true })];
  for (const one of [a, b]) await db.pools.insert(one);
  assert.deepEqual(await db.pools.find(a.name), a);
  assert.deepEqual(await db.pools.find(b.id), b);
  assert.deepEqual(await db.pools.findDefault(), b);
  assert.deepEqual(await db.pools.list(), [a, b]);
  await assert.rejects(db.pools.insert(pool({ isDefault: true })), conflict('pool-exists'));
  const [small, big] = [size({ memoryBytes: 1024, isDefault: true }), size()];
  for (const one of [big, small]) await db.sizes.insert(one);
  assert.deepEqual(await db.sizes.find(big.name), big);
  assert.deepEqual(await db.sizes.findDefault(), small);
  assert.deepEqual(await db.sizes.list(), [small, big]);
  await assert.rejects(db.sizes.insert(size({ name: big.name })), conflict('size-exists'));
});

test('spaces: names are unique within a team and among those of none; lists count apps', async (t) => {
  const { db } = await testDatabase(t);
  const on = await ground(db);
  const same = space(on.pool.id, { name: on.space.name, teamId: on.team.id });
  await db.spaces.insert(same);
  await assert.rejects(db.spaces.insert({ ...same, id: id() }), conflict('space-exists'));
  await assert.rejects(db.spaces.insert({ ...on.space, id: id() }), conflict('space-exists'));
  assert.deepEqual(await db.spaces.find(on.space.name, null), on.space);
  assert.deepEqual(await db.spaces.find(on.space.name, on.team.id), same);
  assert.deepEqual(await db.spaces.find(same.id, null), same);
  await db.apps.insert(app(on));
  await db.apps.insert(app(on, { deletedAt: at }));
  const counts = async (teams: 'all' | string[]) =>
    new Map((await db.spaces.list(teams)).map((row) => [row.id, row.appCount]));
  assert.deepEqual(await counts([]), new Map([[on.space.id, 1]]));
  assert.equal((await counts([on.team.id])).get(same.id), 0);
  assert.equal((await counts('all')).size, 2);
  await db.spaces.update(same.id, { compliance: [], updatedAt: later });
  assert.deepEqual(await db.spaces.find(same.id, null), { ...same, compliance: [], updatedAt: later });
  await db.spaces.remove(same.id);
  assert.equal(await db.spaces.find(same.id, null), null);
});

test('an app is found by id, handle, and name with space, with the names beside it', async (t) => {
  const { db } = await testDatabase(t);
  const on = await ground(db);
  const home = space(on.pool.id, { name: 'default' as SpaceName });
  await db.spaces.insert(home);
  const one = app(on, { name: 'my-events' as AppName, handle: 'my-events-x' as Handle });
  const plain = app({ ...on, space: home }, { name: 'foo' as AppName, handle: 'foo' as Handle });
  for (const each of [one, plain]) await db.apps.insert(each);
  const view = {
    ...one,
    teamName: on.team.name,
    spaceName: on.space.name,
    spaceTeamId: null,
    spaceCompliance: on.space.compliance,
    poolName: on.pool.name,
  };
  assert.deepEqual(await db.apps.find(one.id), view);
  assert.deepEqual(await db.apps.find('my-events-x'), view);
  assert.deepEqual(await db.apps.find(`my-events-${on.space.name}`), view);
  assert.deepEqual(await db.apps.findByName(on.space.id, 'my-events'), view);
  assert.equal((await db.apps.find('foo-default'))?.id, plain.id);
  for (const wrong of ['events', 'my-events', '', '-', id(), 'x'.repeat(500), 'my-events-default'])
    assert.equal(await db.apps.find(wrong), null);
  assert.deepEqual(await db.apps.findAny(one.id), one);
  await db.apps.update(one.id, { deletedAt: later, labels: [] });
  assert.equal(await db.apps.find(one.id), null);
  assert.deepEqual(await db.apps.findAny(one.id), { ...one, deletedAt: later, labels: [] });
});

test('handle and name stay reserved until the purge, which takes all but builds and finished work', async (t) => {
  const { db, connection } = await testDatabase(t);
  const on = await ground(db);
  const one = app(on, { deletedAt: at });
  await db.apps.insert(one);
  await assert.rejects(db.apps.insert(app(on, { handle: one.handle })), conflict('app-exists'));
  await assert.rejects(db.apps.insert(app(on, { name: one.name })), conflict('app-exists'));
  const plan = size();
  await db.sizes.insert(plan);
  await db.processes.insert(process(one.id, plan.id));
  const [deploy, removal] = [
    operation({ appId: one.id, kind: 'deploy' }),
    operation({ appId: one.id, kind: 'delete' }),
  ];
  for (const work of [deploy, removal]) await db.operations.insert(work);
  await db.quotas.set({ subject: 'app', subjectId: one.id, kind: 'instances', limit: 1 });
  await db.apps.purge(one.id);
  assert.equal(await db.apps.findAny(one.id), null);
  assert.equal((await db.operations.find(deploy.id))?.status, 'cancelled');
  assert.equal((await db.operations.find(removal.id))?.status, 'queued');
  const left = await withClient(connection, (client) =>
    client.query('select (select count(*) from processes) + (select count(*) from quotas) as rows'),
  );
  assert.equal(Number(left.rows[0].rows), 0);
  await db.apps.insert(app(on, { handle: one.handle, name: one.name }));
});

test('a list shows what is visible, filters, and pages without gap or double while apps come', async (t) => {
  const { db } = await testDatabase(t);
  const on = await ground(db);
  const other = { ...on, team: team(), pool: pool() };
  await db.teams.insert(other.team);
  await db.pools.insert(other.pool);
  const mine: App[] = [];
  for (let n = 0; n < 25; n += 1) {
    const one = app(n % 5 === 0 ? other : on, { name: `n${String(n).padStart(3, '0')}` as AppName });
    await db.apps.insert(one);
    mine.push(one);
  }
  const names: string[] = [];
  let after: string | undefined;
  for (let pages = 0; ; pages += 1) {
    const page = await db.apps.list('all', {}, { limit: 4, ...(after === undefined ? {} : { after }) });
    names.push(...page.items.map((item) => item.name));
    // One before the cursor, one after: neither shifts the pages.
    await db.apps.insert(app(on, { name: `a${pages}` as AppName }));
    if (page.next === null) break;
    after = page.next;
  }
  assert.deepEqual(
    names,
    mine.map((one) => one.name),
  );
  const list = async (...args: [Parameters<typeof db.apps.list>[0], Parameters<typeof db.apps.list>[1]]) =>
    (await db.apps.list(...args, { limit: 1000 })).items.map((item) => item.name);
  const none = { teamIds: [], appIds: [], poolIds: [] };
  assert.deepEqual(await list(none, {}), []);
  assert.deepEqual(await list({ ...none, teamIds: [other.team.id] }, {}), ['n000', 'n005', 'n010', 'n015', 'n020']);
  assert.deepEqual(await list({ ...none, poolIds: [other.pool.id] }, { nameContains: '01' }), ['n010', 'n015']);
  assert.deepEqual(await list({ ...none, appIds: [mine[3]?.id ?? ''] }, { teamId: on.team.id }), ['n003']);
  assert.deepEqual(await list('all', { spaceId: id() }), []);
  assert.deepEqual(await list('all', { nameContains: '%' }), []);
  assert.equal(await db.apps.count(other.team.id), 5);
  await assert.rejects(db.apps.list('all', {}, { limit: 0 }), { kind: 'invalid' });
  for (const wrong of ['x', Buffer.from('[1]').toString('base64url'), Buffer.from('null').toString('base64url')])
    await assert.rejects(db.apps.list('all', {}, { limit: 1, after: wrong }), { kind: 'invalid' });
});

test('a list of apps reads an index', async (t) => {
  const { db, connection } = await testDatabase(t);
  const on = await ground(db);
  await withClient(connection, async (client) => {
    await client.query(
      `insert into apps (id, name, handle, team_id, space_id, pool_id, description, labels, features, maintenance, stopped,
         restart_generation, created_by, created_at, updated_at)
       select gen_random_uuid(), 'app' || n, 'app' || n, $1, $2, $3, '', '{}', '{}', false, false, 0, '', now(), now()
       from generate_series(1, 5000) n`,
      [on.team.id, on.space.id, on.pool.id],
    );
    await client.query('analyze');
    const plan = await client.query(
      `explain select a.*, t.name from apps a join teams t on t.id = a.team_id join spaces s on s.id = a.space_id
       where a.deleted_at is null order by a.name, a.id limit 101`,
    );
    const text = JSON.stringify(plan.rows);
    assert.match(text, /Index Scan using apps_list/);
    assert.doesNotMatch(text, /Seq Scan on apps/);
  });
  const page = await db.apps.list('all', {}, { limit: 1000 });
  assert.equal(page.items.length, 1000);
});

test('processes come with their size; many apps at once', async (t) => {
  const { db } = await testDatabase(t);
  const on = await ground(db);
  const [a, b] = [await insertedApp(db, on), await insertedApp(db, on)];
  const plan = size();
  await db.sizes.insert(plan);
  const web = process(a.id, plan.id);
  const worker = process(a.id, plan.id, { type: 'svc/worker' as ProcessType, command: null, ports: [8080, 80] });
  const otherWeb = process(b.id, plan.id);
  for (const one of [web, worker, otherWeb]) await db.processes.insert(one);
  await assert.rejects(db.processes.insert(process(a.id, plan.id)), conflict('process-exists'));
  const names = { sizeName: plan.name, memoryBytes: plan.memoryBytes, cpuShares: plan.cpuShares, pids: plan.pids };
  assert.deepEqual(await db.processes.list(a.id), [
    { ...worker, ...names },
    { ...web, ...names },
  ]);
  assert.equal((await db.processes.listOf([a.id, b.id])).length, 3);
  await db.processes.update(web.id, { quantity: 0, updatedAt: later });
  assert.equal((await db.processes.find(a.id, 'web'))?.quantity, 0);
  await db.processes.remove(worker.id);
  assert.equal(await db.processes.find(a.id, 'svc/worker'), null);
});

test('domains: one app a host and path', async (t) => {
  const { db } = await testDatabase(t);
  const [a, b] = [await insertedApp(db), await insertedApp(db)];
  const domain = (appId: string, pathPrefix: string) => ({
    id: id(),
    appId,
    hostname: '*.example.org' as Hostname,
    pathPrefix,
    replacePrefix: pathPrefix === '/' ? null : awkward,
    processType: pathPrefix === '/' ? null : 'svc/worker',
    port: pathPrefix === '/' ? null : 8080,
    createdAt: at,
  });
  const [root, api] = [domain(a.id, '/'), domain(b.id, '/api')];
  for (const one of [api, root]) await db.domains.insert(one);
  await assert.rejects(db.domains.insert(domain(b.id, '/')), conflict('domain-exists'));
  assert.deepEqual(await db.domains.find('*.example.org'), root);
  assert.deepEqual(await db.domains.find(api.id), api);
  assert.deepEqual(await db.domains.all(), [root, api]);
  assert.deepEqual(await db.domains.list(b.id), [api]);
  await db.domains.remove(root.id);
  assert.deepEqual(await db.domains.list(a.id), []);
});
