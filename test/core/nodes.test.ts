/** Who may do what with nodes and pools, and what may be said of them. What becomes of it is in test/control. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { type Actor, type Grant, systemActor } from '../../src/core/access/actor.ts';
import type { Core } from '../../src/core/core.ts';
import type { NodeTls } from '../../src/core/nodes/node.ts';
import type { Permission } from '../../src/core/permissions.ts';
import { Secret } from '../../src/core/ports/secret.ts';
import { makeCertificate } from '../router/support/certificates.ts';
import { testCore } from '../support/core.ts';
import { refusedAs } from '../support/sign-in.ts';

const address = 'tcp://10.0.0.1:2376';
const gpu = '11111111-2222-4333-8444-555555555555';

const having = (...grants: readonly Grant[]): Actor => ({ ...systemActor, kind: 'user', name: 'someone', grants });
const everywhere = (permission: Permission): Grant => ({ permission, context: 'global', contextId: null });
const inGpu = (permission: Permission): Grant => ({ permission, context: 'pool', contextId: gpu });

/** A node `address` in pool `gpu`, which is not the default one. */
async function scene(t: Parameters<typeof testCore>[0]) {
  const made = await testCore(t);
  const createdAt = new Date('2026-01-01T00:00:00Z');
  await made.db.pools.insert({ id: gpu, name: 'gpu', engine: 'simulated', isDefault: false, createdAt });
  const { node } = await made.core.nodes.add(systemActor, { address, pool: 'gpu' });
  return { ...made, node };
}

/** Each verb with what it needs; all of them on the node in pool `gpu`. */
const verbs: readonly (readonly [
  name: string,
  needs: Permission,
  run: (core: Core, actor: Actor) => Promise<unknown>,
])[] = [
  ['get', 'node.read', (core, actor) => core.nodes.get(actor, address)],
  ['update', 'node.update', (core, actor) => core.nodes.update(actor, address, { metadata: { a: 'b' } })],
  ['cordon', 'node.update', (core, actor) => core.nodes.cordon(actor, address)],
  ['uncordon', 'node.update', (core, actor) => core.nodes.uncordon(actor, address)],
  ['drain', 'node.update', (core, actor) => core.nodes.drain(actor, address)],
  ['move', 'node.update.move.containers', (core, actor) => core.moves.moveInstances(actor, address)],
  ['rebalance', 'node.update.rebalance', (core, actor) => core.moves.rebalance(actor, { pool: 'gpu' })],
  ['add', 'node.create', (core, actor) => core.nodes.add(actor, { address: 'tcp://10.0.0.2:2376', pool: 'gpu' })],
  ['remove', 'node.delete', (core, actor) => core.nodes.remove(actor, address)],
];

for (const [name, needs, run] of verbs) {
  test(`${name} needs ${needs}, in the node's pool or everywhere`, async (t) => {
    const { core, node } = await scene(t);
    const elsewhere: Grant = { permission: 'node', context: 'pool', contextId: node.id };
    await assert.rejects(() => run(core, having()), refusedAs('not-found'));
    await assert.rejects(() => run(core, having(elsewhere)), refusedAs('not-found'));
    const reads = having(inGpu('node.read'), inGpu('pool.read'));
    if (needs !== 'node.read') await assert.rejects(() => run(core, reads), refusedAs('forbidden', 'permission'));
    await run(core, having(inGpu(needs)));
  });
}

test('a list holds what the actor may read, and a pool that they may not read is not there', async (t) => {
  const { core, node } = await scene(t);
  const { node: other } = await core.nodes.add(systemActor, { address: 'tcp://10.0.0.2:2376' });
  const addresses = async (actor: Actor, pool?: string) =>
    (await core.nodes.list(actor, pool === undefined ? {} : { pool })).map((item) => item.address);
  assert.deepEqual(await addresses(having(everywhere('node.read'))), [node.address, other.address]);
  assert.deepEqual(await addresses(having(inGpu('node'))), [node.address]);
  assert.deepEqual(await addresses(having(inGpu('node')), 'gpu'), [node.address]);
  assert.deepEqual(await addresses(having()), []);
  await assert.rejects(() => addresses(having(inGpu('node')), 'default'), refusedAs('not-found'));
  await assert.rejects(() => addresses(systemActor, 'none'), refusedAs('not-found'));
});

test('a node goes to another pool only by who may change nodes of both', async (t) => {
  const { core } = await scene(t);
  const change = (actor: Actor) => core.nodes.update(actor, address, { pool: 'default' });
  await assert.rejects(() => change(having(inGpu('node'))), refusedAs('not-found'));
  assert.equal((await change(having(everywhere('node.update')))).poolName, 'default');
});

test('moving or evening out an app needs the permission where the app is; another one is not there', async (t) => {
  const { core, person, createApp } = await scene(t);
  await createApp(await person('ann'), 'shop', 'ann');
  const move = (actor: Actor) => core.moves.moveInstances(actor, address, { app: 'shop' });
  const even = (actor: Actor) => core.moves.rebalance(actor, { app: 'shop' });
  await assert.rejects(() => move(having(inGpu('node'))), refusedAs('not-found'));
  await assert.rejects(() => even(having(inGpu('node'))), refusedAs('not-found'));
  await move(having(everywhere('node.update.move')));
  assert.equal((await even(having(everywhere('node.update.rebalance')))).moved, 0);
});

test('how far an operation is shows to who may read nodes of its pool', async (t) => {
  const { core } = await scene(t);
  const { id } = await core.nodes.drain(systemActor, address);
  assert.equal((await core.moves.progress(having(inGpu('node.read')), id)).left, 0);
  await assert.rejects(() => core.moves.progress(having(), id), refusedAs('not-found'));
  await assert.rejects(() => core.moves.progress(systemActor, gpu), refusedAs('not-found'));
});

for (const wrong of [
  '10.0.0.1',
  'tcp://10.0.0.1',
  'tcp://10.0.0.1:0',
  'tcp://10.0.0.1:70000',
  'tcp://-a:2376',
  'tcp://a/b:2376',
  'http://a:2376',
  'tcp://user@a:2376',
  'tcp://[fd00::1]:2376',
  'unix://relative',
  'unix:///with space',
]) {
  test(`the address ${wrong} is refused`, async (t) => {
    const { core } = await testCore(t);
    await assert.rejects(() => core.nodes.add(systemActor, { address: wrong }), refusedAs('invalid'));
  });
}

test('an address is written one way, whoever says it', async (t) => {
  const { core } = await testCore(t);
  const add = async (text: string) => (await core.nodes.add(systemActor, { address: text })).node.address;
  assert.equal(await add('tcp://Node-1.Example:2376/'), 'tcp://node-1.example:2376');
  assert.equal(await add('unix:///var/run/docker.sock'), 'unix:///var/run/docker.sock');
  await assert.rejects(() => add('tcp://node-1.example:02376'), refusedAs('conflict', 'node-exists'));
});

test('metadata is names and short texts; the names of the platform are its own', async (t) => {
  const { core } = await scene(t);
  const set = (metadata: Record<string, string | null>) => core.nodes.update(systemActor, address, { metadata });
  assert.deepEqual((await set({ zone: 'a', 'example.com/disk': 'ssd', gone: null })).metadata, {
    zone: 'a',
    'example.com/disk': 'ssd',
  });
  assert.deepEqual((await set({ zone: null })).metadata, { 'example.com/disk': 'ssd' });
  for (const wrong of [{ '-a': 'b' }, { 'a b': 'c' }, { 'berth.pool': 'x' }, { a: 'x\ny' }, { a: 'x'.repeat(257) }])
    await assert.rejects(() => set(wrong), refusedAs('invalid'));
  const many = Object.fromEntries(Array.from({ length: 51 }, (_, n) => [`n${n}`, '']));
  await assert.rejects(() => set(many), refusedAs('invalid', 'too-many'));
});

test('TLS material has to fit together, and never shows', async (t) => {
  const [own, other] = [await makeCertificate(t, ['a.test']), await makeCertificate(t, ['b.test'])];
  if (own === null || other === null) return;
  const { core, db } = await testCore(t);
  const good: NodeTls = {
    ca: other.certificatePem,
    certificate: own.certificatePem,
    key: new Secret(own.privateKeyPem),
  };
  const add = (tls: NodeTls) => core.nodes.add(systemActor, { address, tls });
  for (const wrong of [
    { ...good, key: new Secret(other.privateKeyPem) },
    { ...good, key: new Secret('nonsense') },
    { ...good, ca: 'nonsense' },
    { ...good, certificate: own.privateKeyPem },
  ])
    await assert.rejects(
      () => add(wrong),
      (error) => refusedAs('invalid')(error) && !inspect(error).includes(own.privateKeyPem.slice(40, 80)),
    );
  const { node } = await add(good);
  assert.equal(node.hasTls, true);
  const shown = inspect(await core.nodes.list(systemActor)) + JSON.stringify(await db.events.list({}, { limit: 100 }));
  assert.doesNotMatch(shown, /BEGIN/);
  const kept = (await db.nodes.tls()).get(node.id);
  assert.deepEqual([kept?.ca, kept?.certificate, kept?.key.reveal()], [good.ca, good.certificate, own.privateKeyPem]);
});

test('the node of the settings cannot be removed, its TLS material is the settings’, and a pool on the platform’s own machine takes none', async (t) => {
  const { core, db, node } = await scene(t);
  await db.nodes.update(node.id, { isHome: true });
  await assert.rejects(() => core.nodes.remove(systemActor, address), refusedAs('conflict', 'home-node'));
  await assert.rejects(
    () => core.nodes.remove(systemActor, address, { force: true }),
    refusedAs('conflict', 'home-node'),
  );
  const tls = { ca: 'x', certificate: 'x', key: new Secret('x') };
  await assert.rejects(() => core.nodes.update(systemActor, address, { tls }), /BERTH_DOCKER_TLS/);
  await core.nodes.update(systemActor, address, { metadata: { zone: 'a' } });
  await core.pools.create(systemActor, { name: 'here', engine: 'process' });
  const add = () => core.nodes.add(systemActor, { address: 'tcp://10.0.0.9:2376', pool: 'here' });
  await assert.rejects(add, refusedAs('invalid', 'engine'));
});

test('pools are made and removed by who may, and named once', async (t) => {
  const { core } = await scene(t);
  const make = (actor: Actor, engine = 'docker') => core.pools.create(actor, { name: 'far', engine });
  await assert.rejects(() => make(having(inGpu('pool'))), refusedAs('forbidden', 'permission'));
  await assert.rejects(() => make(systemActor, 'imaginary'), refusedAs('invalid', 'unknown-engine'));
  const pool = await make(having(everywhere('pool.create')));
  await assert.rejects(() => make(systemActor), refusedAs('conflict', 'pool-exists'));
  assert.deepEqual(
    (await core.pools.list(having(inGpu('pool.read')))).map(({ name }) => name),
    ['gpu'],
  );
  assert.deepEqual(
    (await core.pools.list(systemActor)).map(({ name }) => name),
    ['default', 'far', 'gpu'],
  );
  await assert.rejects(() => core.pools.get(having(inGpu('pool')), 'far'), refusedAs('not-found'));
  await assert.rejects(() => core.pools.remove(having(inGpu('pool')), 'far'), refusedAs('not-found'));
  await assert.rejects(
    () => core.pools.remove(having(inGpu('pool.read')), 'gpu'),
    refusedAs('forbidden', 'permission'),
  );
  await core.pools.remove(having(everywhere('pool.delete')), pool.id);
  await assert.rejects(() => core.pools.get(systemActor, 'far'), refusedAs('not-found'));
});

test('what is changed at the same time is both there, and nothing is promised of a node that is gone', async (t) => {
  const { core, db } = await scene(t);
  await Promise.all([
    core.nodes.update(systemActor, address, { metadata: { zone: 'a' } }),
    core.nodes.update(systemActor, address, { pool: 'default' }),
  ]);
  const { metadata, poolName } = await core.nodes.get(systemActor, address);
  assert.deepEqual([metadata, poolName], [{ zone: 'a' }, 'default']);
  for (let n = 2; n < 12; n += 1) {
    const { node } = await core.nodes.add(systemActor, { address: `tcp://10.0.0.${n}:2376`, pool: 'gpu' });
    const [drain] = await Promise.allSettled([
      core.nodes.drain(systemActor, node.id),
      core.nodes.remove(systemActor, node.id, { force: true }),
    ]);
    if (drain.status === 'rejected') assert.equal(drain.reason.kind, 'not-found');
    else assert.equal((await db.operations.find(drain.value.id))?.status, 'cancelled');
  }
});
