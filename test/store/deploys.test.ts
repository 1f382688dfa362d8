import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ConfigVar } from '../../src/core/config/config.ts';
import type { Instance } from '../../src/core/instances/instance.ts';
import type { ConfigName } from '../../src/core/names.ts';
import { Secret } from '../../src/core/ports/secret.ts';
import { type TestDatabase, testDatabase, withClient } from '../support/postgres.ts';
import { app, at, awkward, build, ground, id, insertedApp, later, release } from './nouns.ts';

const variable = (source: ConfigVar['source'], ownerId: string, name: string, value: string): ConfigVar => ({
  source,
  ownerId,
  name: name as ConfigName,
  value: new Secret(value),
  description: awkward,
  required: true,
  updatedAt: at,
});
const plain = (environment: Readonly<Record<string, Secret>> | null) =>
  environment && Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, value.reveal()]));

/** Every row of every table as text, sealed bytes as hex and as characters. */
async function everything({ connection }: TestDatabase): Promise<string> {
  return withClient(connection, async (client) => {
    const tables = await client.query(`select tablename from pg_tables where schemaname = 'public'`);
    let text = '';
    for (const { tablename } of tables.rows) {
      const { rows } = await client.query(`select * from ${tablename}`);
      for (const value of rows.flatMap((row) => Object.values(row)))
        text += value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : `${JSON.stringify(value)}\n`;
    }
    return text;
  });
}

test('config round-trips whatever the bytes, merges space and app, and is nowhere in clear', async (t) => {
  const opened = await testDatabase(t);
  const { db } = opened;
  const one = await insertedApp(db);
  const marker = 'plain-text-marker';
  const values = {
    PEM: `-----BEGIN KEY-----\n${marker}\r\n\ttab "q" 'q' $HOME \\n ünï 🐙\n`,
    EMPTY: '',
    constructor: `${marker}-2`,
  };
  await db.config.set(Object.entries(values).map(([name, value]) => variable('app', one.id, name, value)));
  await db.config.set([
    variable('space', one.spaceId, 'EMPTY', `${marker} of the space`),
    variable('space', one.spaceId, 'SHARED', marker),
    variable('app', id(), 'ELSEWHERE', marker),
  ]);
  await db.config.set([]);
  assert.deepEqual(plain(await db.config.resolve(one.id)), { ...values, SHARED: marker });
  const listed = await db.config.list('app', one.id);
  assert.deepEqual(
    listed.map(({ name, description, required, value }) => [name, description, required, value.reveal()]),
    Object.entries(values)
      .sort()
      .map(([name, value]) => [name, awkward, true, value]),
  );
  const snapshot = id();
  await db.config.snapshot(snapshot, one.id, await db.config.resolve(one.id));
  await db.config.set([variable('app', one.id, 'PEM', 'changed')]);
  await db.config.remove('app', one.id, ['EMPTY', 'constructor', 'UNKNOWN']);
  assert.deepEqual(plain(await db.config.resolve(one.id)), {
    PEM: 'changed',
    SHARED: marker,
    EMPTY: `${marker} of the space`,
  });
  assert.deepEqual(plain(await db.config.findSnapshot(snapshot)), { ...values, SHARED: marker });
  assert.equal(await db.config.findSnapshot(id()), null);
  await db.builds.insert(build(one.id, 1, { source: { kind: 'image', reference: new Secret(`reg/${marker}`) } }));
  const raw = await everything(opened);
  assert.ok(raw.includes(one.name), 'the search sees the tables');
  assert.ok(!raw.includes(marker));
});

test('a sealed value that was moved to another place does not open', async (t) => {
  const { db, connection } = await testDatabase(t);
  const one = await insertedApp(db);
  await db.config.set([variable('app', one.id, 'A', 'a'), variable('app', one.id, 'B', 'b')]);
  await withClient(connection, (client) =>
    client.query(`update config_vars set value = (select value from config_vars where name = 'A') where name = 'B'`),
  );
  await assert.rejects(db.config.resolve(one.id));
});

test('builds: numbered, sealed, advanced by status, found after their app is gone', async (t) => {
  const { db } = await testDatabase(t);
  const one = await insertedApp(db);
  const numbers = await Promise.all(Array.from({ length: 8 }, () => db.builds.nextNumber(one.id)));
  assert.deepEqual(
    numbers.sort((a, b) => a - b),
    [1, 2, 3, 4, 5, 6, 7, 8],
  );
  await assert.rejects(db.builds.nextNumber(id()), { kind: 'not-found' });
  const made = numbers.map((number) => build(one.id, number));
  for (const each of made) await db.builds.insert(each);
  const [first, second] = made;
  assert.ok(first && second);
  const found = await db.builds.find(one.id, first.id);
  assert.deepEqual({ ...found, source: null }, { ...first, source: null });
  assert.ok(found?.source.kind === 'archive' && first.source.kind === 'archive');
  assert.equal(found.source.url.reveal(), first.source.url.reveal());
  assert.equal(await db.builds.find(id(), first.id), null, 'not under another app');
  assert.equal(await db.builds.find(one.id, 'no-id'), null);
  assert.ok(await db.builds.advance(first.id, ['queued'], { status: 'running', startedAt: later, updatedAt: later }));
  assert.ok(!(await db.builds.advance(first.id, ['queued'], { status: 'cancelled' })));
  assert.ok(await db.builds.advance(first.id, ['running'], { status: 'succeeded', artifactDigest: 'sha256:1' }));
  assert.ok(await db.builds.advance(second.id, ['queued'], { status: 'succeeded', artifactDigest: 'sha256:2' }));
  assert.equal((await db.builds.latestSucceeded(one.id))?.id, second.id);
  const page = await db.builds.list(one.id, { limit: 5 });
  assert.deepEqual(
    page.items.map((each) => each.number),
    [1, 2, 3, 4, 5],
  );
  const rest = await db.builds.list(one.id, { limit: 5, after: page.next ?? '' });
  assert.deepEqual([rest.items.map((each) => each.number), rest.next], [[6, 7, 8], null]);
  await db.apps.purge(one.id);
  assert.equal((await db.builds.findAny(first.id))?.artifactDigest, 'sha256:1');
});

test('releases: versions, pending, superseded, lists by kind', async (t) => {
  const { db } = await testDatabase(t);
  const one = await insertedApp(db);
  const snapshot = id();
  await db.config.snapshot(snapshot, one.id, {});
  const kinds = ['deploy', 'config', 'rollback', 'deploy'] as const;
  const made = [];
  for (const kind of kinds) {
    const next = release(one.id, await db.releases.nextVersion(one.id), snapshot, { kind });
    await db.releases.insert(next);
    made.push(next);
  }
  const [first, , third, fourth] = made;
  assert.ok(first && third && fourth);
  assert.deepEqual(await db.releases.find(one.id, first.id), first);
  assert.deepEqual(await db.releases.findByVersion(one.id, 3), third);
  assert.equal(await db.releases.find(id(), first.id), null);
  assert.deepEqual(await db.releases.pending(one.id), fourth);
  await db.releases.supersede(one.id, 4, later);
  assert.deepEqual(await db.releases.find(one.id, first.id), { ...first, status: 'superseded', updatedAt: later });
  assert.ok(!(await db.releases.advance(first.id, ['pending'], { status: 'failed' })));
  assert.ok(
    await db.releases.advance(fourth.id, ['pending'], {
      status: 'failed',
      failureCode: 'H10',
      failureMessage: awkward,
    }),
  );
  assert.equal((await db.releases.find(one.id, fourth.id))?.failureMessage, awkward);
  assert.equal(await db.releases.pending(one.id), null);
  const page = await db.releases.list(one.id, ['deploy', 'rollback'], { limit: 2 });
  assert.deepEqual(
    page.items.map((each) => each.version),
    [1, 3],
  );
  const rest = await db.releases.list(one.id, ['deploy', 'rollback'], { limit: 2, after: page.next ?? '' });
  assert.deepEqual([rest.items.map((each) => each.version), rest.next], [[4], null]);
});

test('artifacts in use are the newest of each live app, and what serves', async (t) => {
  const { db } = await testDatabase(t);
  const on = await ground(db);
  const [live, gone] = [await insertedApp(db, on), app(on, { deletedAt: at })];
  await db.apps.insert(gone);
  const artifact = {
    digest: 'sha256:x',
    sizeBytes: 5_000_000_000,
    processes: { web: awkward },
    buildpack: 'node',
    createdAt: at,
  };
  await db.artifacts.insert(artifact);
  await db.artifacts.insert({ ...artifact, buildpack: 'other' });
  assert.deepEqual(await db.artifacts.find('sha256:x'), artifact);
  assert.equal(await db.artifacts.find('sha256:y'), null);
  let serving = '';
  for (const owner of [live, gone]) {
    const snapshot = id();
    await db.config.snapshot(snapshot, owner.id, {});
    for (let version = 1; version <= 5; version += 1) {
      const digest = `sha256:${owner === live ? 'live' : 'gone'}${version}`;
      const one = release(owner.id, version, snapshot, { status: 'succeeded', artifactDigest: digest });
      await db.releases.insert(one);
      if (owner === live && version === 2) serving = one.id;
    }
  }
  await db.apps.update(live.id, { currentReleaseId: serving });
  await db.builds.insert(build(live.id, 1, { status: 'succeeded', artifactDigest: 'sha256:built' }));
  await db.builds.insert(build(live.id, 2, { status: 'failed' }));
  const used = await db.artifacts.inUse(2);
  assert.deepEqual([...used].sort(), [
    'sha256:built',
    'sha256:live2',
    'sha256:live4',
    'sha256:live5',
    'sha256:own2',
    'sha256:own4',
    'sha256:own5',
  ]);
});

test('instances: by app, routable, changed, gone', async (t) => {
  const { db } = await testDatabase(t);
  const one = await insertedApp(db);
  const instance = (change: Partial<Instance>): Instance => ({
    id: id(),
    appId: one.id,
    releaseId: id(),
    processType: 'web',
    generation: 'g',
    state: 'starting',
    series: 0,
    ordinal: 1,
    routed: false,
    nodeId: null,
    host: null,
    port: null,
    restarts: 0,
    retryAt: null,
    failureCode: null,
    failureMessage: null,
    createdAt: at,
    readyAt: null,
    updatedAt: at,
    ...change,
  });
  const [a, b] = [instance({}), instance({ createdAt: later })];
  for (const each of [b, a]) await db.instances.insert(each);
  assert.deepEqual(await db.instances.list(one.id), [a, b]);
  assert.deepEqual(await db.instances.routable(), []);
  const ready = { state: 'ready', host: '127.0.0.1', port: 5000, readyAt: later, failureMessage: awkward } as const;
  await db.instances.update(a.id, ready);
  assert.deepEqual(await db.instances.routable(), [{ ...a, ...ready }]);
  assert.equal((await db.instances.all()).length, 2);
  await db.instances.remove(a.id);
  assert.deepEqual(await db.instances.all(), [{ id: b.id, appId: one.id, state: 'starting' }]);
});
