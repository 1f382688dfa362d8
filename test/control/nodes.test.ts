/** What becomes of nodes and of what runs on them, over the whole control loop. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemActor } from '../../src/core/access/actor.ts';
import { addressOf, testFleet } from '../support/fleet.ts';
import { refusedAs } from '../support/sign-in.ts';
import { until } from '../support/until.ts';

test('a node that is added becomes ready, with events; one that cannot join says why until it can', async (t) => {
  const { core, db, engine, ended, events } = await testFleet(t);
  engine.obstruct(addressOf(1), 'its certificate is for somebody else');
  const { node, operation } = await core.nodes.add(systemActor, {
    address: 'tcp://10.0.0.1:2376/',
    metadata: { zone: 'north' },
  });
  assert.deepEqual([node.address, node.state, node.poolName], [addressOf(1), 'joining', 'default']);
  await until('it says why', async () => (await core.moves.progress(systemActor, operation.id)).message !== null);
  const waiting = await core.nodes.get(systemActor, addressOf(1));
  assert.deepEqual([waiting.state, waiting.stateMessage], ['joining', 'its certificate is for somebody else']);
  engine.obstruct(addressOf(1), null);
  assert.equal((await ended(operation)).status, 'succeeded');
  const ready = await core.nodes.get(systemActor, node.id);
  assert.deepEqual([ready.state, ready.stateMessage, ready.metadata], ['ready', null, { zone: 'north' }]);
  assert.deepEqual(
    (await events('NodeAdded')).map(({ data, actorName }) => [data.address, actorName]),
    [[addressOf(1), 'System']],
  );
  assert.equal((await events('NodeReady')).length, 1);
  const [told] = engine.nodes;
  assert.deepEqual(
    [told?.id, told?.schedulable, told?.labels],
    [node.id, true, { zone: 'north', 'berth.pool': 'default' }],
  );
  await assert.rejects(
    () => core.nodes.add(systemActor, { address: addressOf(1) }),
    refusedAs('conflict', 'node-exists'),
  );
  await core.nodes.update(systemActor, node.id, { metadata: { zone: null, rack: '7' } });
  await until(
    'the engine has the labels',
    () => engine.nodes[0]?.labels.rack === '7' && !('zone' in engine.nodes[0].labels),
  );
  assert.equal((await db.operations.openOf(['node-add'])).length, 0);
});

test('a drain moves everything, one at a time, and never leaves fewer than wanted', async (t) => {
  const { core, join, serve, spread, fewest, ended, events } = await testFleet(t);
  const [one, two] = [await join(1), await join(2)];
  const shop = await serve('shop', 4);
  const blog = await serve('blog', 2, 'hot-swap');
  assert.deepEqual(await spread(shop), { [one.id]: 2, [two.id]: 2 });
  const [leastShop, leastBlog] = [fewest(shop), fewest(blog)];
  const operation = await core.nodes.drain(systemActor, one.id);
  assert.equal((await ended(operation)).status, 'succeeded');
  assert.deepEqual([await spread(shop), await spread(blog)], [{ [two.id]: 4 }, { [two.id]: 2 }]);
  assert.ok(leastShop() >= 4, `the shop had only ${leastShop()}`);
  assert.ok(leastBlog() >= 2, `the blog had only ${leastBlog()}`);
  assert.deepEqual(
    (await events('NodeDrained')).map(({ data }) => data.node),
    [one.id],
  );
  const drained = await core.nodes.get(systemActor, one.id);
  assert.deepEqual([drained.cordoned, drained.draining, drained.instances], [true, true, 0]);
  await core.processes.update(systemActor, shop, [{ type: 'web', quantity: 6 }]);
  await until('six run', async () => (await spread(shop))[two.id] === 6);
  // At once: nobody has to wait until the engine knows.
  await core.nodes.uncordon(systemActor, one.id);
  await core.processes.update(systemActor, shop, [{ type: 'web', quantity: 8 }]);
  await until('new ones go there again', async () => (await spread(shop))[one.id] === 2);
});

test('the last node of a pool is not emptied: what runs there stays until another one takes it', async (t) => {
  const { core, db, engine, join, serve, spread, ended } = await testFleet(t);
  const one = await join(1);
  const shop = await serve('shop', 2, 'all-at-once');
  const before = (await db.instances.list(shop)).map(({ id }) => id).toSorted();
  const operation = await core.nodes.drain(systemActor, one.id);
  await until('the engine knows', () => engine.nodes[0]?.schedulable === false);
  engine.obstruct(addressOf(2), 'not yet');
  const two = await core.nodes.add(systemActor, { address: addressOf(2) });
  await core.nodes.cordon(systemActor, two.node.id);
  engine.obstruct(addressOf(2), null);
  await ended(two.operation);
  assert.deepEqual((await db.instances.list(shop)).map(({ id }) => id).toSorted(), before);
  await until('it says why it waits', async () =>
    /no other node/.test((await core.moves.progress(systemActor, operation.id)).message ?? ''),
  );
  await core.nodes.uncordon(systemActor, two.node.id);
  assert.equal((await ended(operation)).status, 'succeeded');
  await until('all run there', async () => (await spread(shop))[two.node.id] === 2);
});

test('a cordoned node takes nothing new and keeps what it has', async (t) => {
  const { core, join, serve, spread } = await testFleet(t);
  const [one, two] = [await join(1), await join(2)];
  const shop = await serve('shop', 2);
  await core.nodes.cordon(systemActor, addressOf(1));
  await core.processes.update(systemActor, shop, [{ type: 'web', quantity: 6 }]);
  await until('six run', async () => Object.values(await spread(shop)).reduce((sum, count) => sum + count, 0) === 6);
  assert.deepEqual(await spread(shop), { [one.id]: 1, [two.id]: 5 });
});

test('a rebalance after a node came evens out with the fewest moves; a second one moves nothing', async (t) => {
  const { core, join, serve, spread, fewest, ended, events } = await testFleet(t);
  const [one, two] = [await join(1), await join(2)];
  const [shop, blog] = [await serve('shop', 6), await serve('blog', 3)];
  const three = await join(3);
  const least = fewest(shop);
  const { operation, moved } = await core.moves.rebalance(systemActor);
  assert.equal(moved, 3);
  assert.equal((await ended(operation)).status, 'succeeded');
  assert.deepEqual(await spread(shop), { [one.id]: 2, [two.id]: 2, [three.id]: 2 });
  assert.deepEqual(await spread(blog), { [one.id]: 1, [two.id]: 1, [three.id]: 1 });
  assert.ok(least() >= 6, `the shop had only ${least()}`);
  const again = await core.moves.rebalance(systemActor, { app: 'shop' });
  assert.equal(again.moved, 0);
  assert.equal((await ended(again.operation)).status, 'succeeded');
  assert.deepEqual(
    (await events('NodesRebalanced')).map(({ data }) => data.moved),
    [0, 3],
  );
});

test('one app is moved off a node, which takes nothing new meanwhile and is open again after', async (t) => {
  const { core, engine, join, serve, spread, ended } = await testFleet(t);
  const [one, two] = [await join(1), await join(2)];
  const [shop, blog] = [await serve('shop', 4), await serve('blog', 2)];
  const operation = await core.moves.moveInstances(systemActor, one.id, { app: 'shop' });
  assert.equal((await core.nodes.get(systemActor, one.id)).moving, true);
  assert.equal((await ended(operation)).status, 'succeeded');
  assert.deepEqual(await spread(shop), { [two.id]: 4 });
  assert.deepEqual(await spread(blog), { [one.id]: 1, [two.id]: 1 });
  await until('it takes new ones again', () => engine.nodes.every(({ schedulable }) => schedulable));
});

test('a removal waits for what runs there; with force it does not', async (t) => {
  const { core, engine, join, serve, spread, ended, events } = await testFleet(t);
  const [one, two, three] = [await join(1), await join(2), await join(3)];
  const shop = await serve('shop', 3);
  const least = await core.nodes.remove(systemActor, one.id);
  assert.equal((await ended(least)).status, 'succeeded');
  await until('the engine lets it go', () => engine.nodes.length === 2);
  await assert.rejects(() => core.nodes.get(systemActor, one.id), refusedAs('not-found'));
  assert.equal(Object.values(await spread(shop)).length, 2);
  assert.deepEqual(
    (await events('NodeRemoved')).map(({ data }) => [data.node, data.force]),
    [[one.id, undefined]],
  );

  const forced = await core.nodes.remove(systemActor, two.id, { force: true });
  assert.equal(forced.status, 'succeeded');
  await until('all run on the last one', async () => (await spread(shop))[three.id] === 3);
  await until('the engine lets the other one go', () => engine.nodes.map(({ id }) => id).join() === three.id);
});

test('an uncordon ends a removal that still waits', async (t) => {
  const { core, join, serve, ended } = await testFleet(t);
  const one = await join(1);
  await serve('shop', 1);
  const operation = await core.nodes.remove(systemActor, one.id);
  await core.nodes.uncordon(systemActor, one.id);
  assert.equal((await ended(operation)).status, 'cancelled');
  const { removing, draining, cordoned } = await core.nodes.get(systemActor, one.id);
  assert.deepEqual([removing, draining, cordoned], [false, false, false]);
});

test('pools keep to their nodes; a node that goes to another pool gives away what runs there', async (t) => {
  const { core, db, ann, join, serve, spread } = await testFleet(t);
  const now = new Date('2026-01-01T00:00:00Z');
  const poolId = '11111111-2222-4333-8444-555555555555';
  await db.pools.insert({ id: poolId, name: 'gpu', engine: 'simulated', isDefault: false, createdAt: now });
  const [one, two, other] = [await join(1), await join(2), await join(3, 'gpu')];
  const shop = await serve('shop', 4);
  assert.deepEqual(await spread(shop), { [one.id]: 2, [two.id]: 2 });
  const space = await core.spaces.create(systemActor, { name: 'models', teamId: ann.teamIds[0] ?? null, poolId });
  assert.deepEqual(
    (await core.nodes.list(systemActor, { pool: 'gpu' })).map(({ id }) => id),
    [other.id],
  );
  await core.nodes.update(systemActor, two.id, { pool: 'gpu' });
  await until('it is empty', async () => (await spread(shop))[one.id] === 4);
  assert.equal((await core.nodes.get(systemActor, two.id)).poolName, 'gpu');
  await assert.rejects(() => core.pools.remove(systemActor, 'gpu'), refusedAs('conflict', 'pool-has-spaces'));
  await core.spaces.remove(systemActor, space.id, space.teamId);
  await assert.rejects(() => core.pools.remove(systemActor, 'gpu'), refusedAs('conflict', 'pool-has-nodes'));
  await assert.rejects(() => core.pools.remove(systemActor, 'default'), refusedAs('conflict', 'default-pool'));
});

test('instances with volumes are moved by a drain, a seat at a time, and left alone by a rebalance', async (t) => {
  const { core, db, join, serve, spread, ended } = await testFleet(t);
  const [one, two] = [await join(1), await join(2)];
  const mounts = [{ path: '/data', from: null, shared: false, sizeBytes: null }];
  const store = await serve('store', 4, 'one-by-one', { mounts });
  const seats = async () => (await db.instances.list(store)).map(({ ordinal }) => ordinal).toSorted();
  const volumes = (await db.volumes.list(store)).map(({ id }) => id).toSorted();
  assert.equal(volumes.length, 4);
  await ended(await core.nodes.drain(systemActor, one.id));
  await until('all run there', async () => (await spread(store))[two.id] === 4);
  assert.deepEqual(await seats(), [0, 1, 2, 3]);
  assert.deepEqual((await db.volumes.list(store)).map(({ id }) => id).toSorted(), volumes);
  await core.nodes.uncordon(systemActor, one.id);
  assert.equal((await core.moves.rebalance(systemActor)).moved, 0);
});

test('one-offs hold a drain up, and it says so', async (t) => {
  const { core, db, engine, join, serve, ended } = await testFleet(t);
  const one = await join(1);
  const app = await db.apps.findAny(await serve('shop', 1));
  assert.ok(app);
  const oneOff = '5d9b9e5e-0d6c-4a1b-9a53-1f2d3c4b5a69';
  await engine.start({
    ...{ id: oneOff, kind: 'one-off', appId: app.id, appHandle: app.handle, spaceId: app.spaceId },
    ...{
      processType: 'run',
      generation: '',
      artifactDigest: 'sha256:x',
      command: ['wait'],
      environment: {},
      ports: [],
    },
    ...{ graceMs: 0, limits: { memoryBytes: 2 ** 28, cpuShares: 1_024, pids: 100 } },
  });
  await join(2);
  const drain = await core.nodes.drain(systemActor, one.id);
  await until('only that is left', async () => {
    const { left, message } = await core.moves.progress(systemActor, drain.id);
    return left === 0 && message === '1 one-off to end';
  });
  await engine.remove(oneOff);
  assert.equal((await ended(drain)).status, 'succeeded');
  await until('nothing is in the way', async () => (await core.nodes.get(systemActor, one.id)).stateMessage === null);
});

test('a node of an engine that is not there says what to set', async (t) => {
  const { core } = await testFleet(t, {
    engine: ({ engine }) =>
      new Proxy(engine, {
        get(target, name) {
          if (name === 'describe') return async () => ({ ...(await target.describe()), nodes: [] });
          const member = Reflect.get(target, name);
          return typeof member === 'function' ? member.bind(target) : member;
        },
      }),
  });
  const { node } = await core.nodes.add(systemActor, { address: addressOf(1) });
  await until('it says so', async () =>
    /BERTH_DOCKER_HOST/.test((await core.nodes.get(systemActor, node.id)).stateMessage ?? ''),
  );
});

test('an evening out is over when the new instances are ready, and fails when they crash', async (t) => {
  const { core, engine, join, serve, spread, ended } = await testFleet(t);
  const one = await join(1);
  const shop = await serve('shop', 4, 'all-at-once');
  const two = await join(2);
  const { operation, moved } = await core.moves.rebalance(systemActor, { app: shop });
  assert.equal(moved, 2);
  assert.equal((await ended(operation)).status, 'succeeded');
  assert.deepEqual(await spread(shop), { [one.id]: 2, [two.id]: 2 });
  await core.nodes.cordon(systemActor, two.id);
  await core.processes.update(systemActor, shop, [{ type: 'web', quantity: 6 }]);
  await until('six run', async () => (await spread(shop))[one.id] === 4);
  await core.nodes.uncordon(systemActor, two.id);
  await until('the engine knows', () => engine.nodes.every(({ schedulable }) => schedulable));
  // More than once: it counts as crashed only until it is tried again.
  for (let starts = 0; starts < 5; starts += 1) engine.failNext('its disk is full');
  const again = await core.moves.rebalance(systemActor, { app: shop });
  const { status, error } = await ended(again.operation);
  assert.deepEqual([again.moved, status], [1, 'failed']);
  assert.match(error ?? '', /^shop\S* web: crashed \(start-failure\)$/);
  await assert.rejects(
    () => core.moves.rebalance(systemActor, { app: shop, pool: 'default' }),
    refusedAs('invalid', 'conflicting'),
  );
});
