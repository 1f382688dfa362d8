import assert from 'node:assert/strict';
import { test } from 'node:test';
import { movedGeneration } from '../../src/core/instances/generation.ts';
import type { Node } from '../../src/core/nodes/node.ts';
import { Secret } from '../../src/core/ports/secret.ts';
import { instance } from '../control/routing-rows.ts';
import { testDatabase, withClient } from '../support/postgres.ts';
import { at, awkward, ground, id, insertedApp, later, unique } from './nouns.ts';

const node = (poolId: string, change: Partial<Node> = {}): Node => ({
  id: id(),
  poolId,
  address: `tcp://${unique('node')}.example:2376`,
  isHome: false,
  metadata: { zone: awkward },
  cordoned: false,
  draining: false,
  removing: false,
  state: 'joining',
  stateMessage: awkward,
  stateSince: at,
  lost: {},
  createdAt: at,
  ...change,
});

test('nodes: as they were written, by age, by id and address, one of each address and one home', async (t) => {
  const { db } = await testDatabase(t);
  const { pool } = await ground(db);
  const [young, old] = [node(pool.id, { createdAt: later }), node(pool.id, { isHome: true })];
  for (const one of [young, old]) await db.nodes.insert(one, null);
  const view = { poolName: pool.name, hasTls: false, instances: 0, moving: false };
  assert.deepEqual(await db.nodes.list(), [
    { ...old, ...view },
    { ...young, ...view },
  ]);
  assert.deepEqual(await db.nodes.find(young.address), { ...young, ...view });
  assert.deepEqual([(await db.nodes.find(old.id))?.id, (await db.nodes.findHome())?.id], [old.id, old.id]);
  assert.equal(await db.nodes.find('nowhere'), null);
  const taken = { kind: 'conflict', details: { code: 'node-exists', noun: 'node' } };
  await assert.rejects(db.nodes.insert(node(pool.id, { address: old.address }), null), taken);
  await assert.rejects(db.nodes.insert(node(pool.id, { isHome: true }), null), taken);
  await assert.rejects(db.pools.remove(pool.id), { kind: 'conflict' });
  const change = { state: 'down', stateMessage: null, stateSince: later, lost: { a: 2 }, metadata: {} } as const;
  await db.nodes.update(young.id, change);
  assert.deepEqual(await db.nodes.find(young.id), { ...young, ...view, ...change });
  assert.equal(await db.nodes.update(young.id, {}), true);
  assert.deepEqual([await db.nodes.remove(young.id), await db.nodes.remove(young.id)], [true, false]);
  assert.equal(await db.nodes.update(young.id, change), false);
});

test('TLS material is sealed for its node alone', async (t) => {
  const { db, connection } = await testDatabase(t);
  const { pool } = await ground(db);
  const [one, other] = [node(pool.id), node(pool.id)];
  const tls = { ca: 'an authority', certificate: 'a certificate', key: new Secret(`a key ${awkward}`) };
  await db.nodes.insert(one, tls);
  await db.nodes.insert(other, null);
  const shown = async () => [...(await db.nodes.tls())].map(([at, { key, ...rest }]) => [at, rest.ca, key.reveal()]);
  assert.deepEqual(await shown(), [[one.id, tls.ca, tls.key.reveal()]]);
  assert.deepEqual([(await db.nodes.find(one.id))?.hasTls, (await db.nodes.find(other.id))?.hasTls], [true, false]);
  await db.nodes.update(one.id, { cordoned: true });
  await db.nodes.update(other.id, {}, { ...tls, ca: 'another' });
  assert.equal((await shown()).length, 2);
  await withClient(connection, async (client) => {
    const { rows } = await client.query<{ tls: Buffer }>('select tls from nodes');
    for (const row of rows) assert.doesNotMatch(row.tls.toString('latin1'), /authority|certificate|a key/);
    await client.query('update nodes set tls = (select tls from nodes where id = $1) where id = $2', [
      one.id,
      other.id,
    ]);
  });
  await assert.rejects(db.nodes.tls());
});

test('instances are counted where they are, and moved once: those that serve or start', async (t) => {
  const { db } = await testDatabase(t);
  const on = await ground(db);
  const app = await insertedApp(db, on);
  const place = node(on.pool.id);
  await db.nodes.insert(place, null);
  const rows = (['ready', 'starting', 'draining', 'crashed'] as const).map((state, n) => ({
    ...instance(id(), app.id, 'web', null),
    state,
    generation: `g${n}`,
    nodeId: n === 1 ? null : place.id,
  }));
  for (const row of rows) await db.instances.insert(row);
  assert.equal((await db.nodes.find(place.id))?.instances, 3);
  const ids = rows.map((row) => row.id);
  assert.deepEqual(await db.instances.move(ids, later), [app.id]);
  assert.deepEqual([await db.instances.move(ids, later), await db.instances.move([], later)], [[], []]);
  const generations = new Map((await db.instances.placed()).map((row) => [row.id as string, row.generation]));
  assert.deepEqual(
    ids.map((one) => generations.get(one)),
    [movedGeneration('g0'), movedGeneration('g1'), 'g2', 'g3'],
  );
  assert.ok((await db.instances.placed()).every((row) => row.poolId === on.pool.id));
});
