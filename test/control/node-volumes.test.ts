/** What becomes of volumes when nodes are cut off, drained, cordoned and removed, over the whole control loop. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { systemActor } from '../../src/core/access/actor.ts';
import { type Fleet, testFleet } from '../support/fleet.ts';
import { until } from '../support/until.ts';

const own = [{ path: '/data', from: null, shared: false, sizeBytes: null }];
const common = [{ path: '/data', from: null, shared: true, sizeBytes: null }];

async function storeOn({ db, serve }: Fleet, mounts: typeof own, quantity = 1, strategy?: 'hot-swap' | 'all-at-once') {
  const app = await serve('store', quantity, strategy, { mounts });
  const [volume] = await db.volumes.list(app);
  assert.ok(volume);
  const row = async () => (await db.instances.list(app))[0] ?? null;
  return { app, volume: volume.id, row };
}

/** The most instances that ever had the volume at a time, from now on. */
function mostUsers(t: TestContext, { engine }: Fleet, volume: string): () => number {
  let most = 0;
  t.after(engine.watch(() => (most = Math.max(most, engine.usersOf(volume).length))));
  return () => most;
}

test('a volume is never mounted twice when the node that was cut off with it is back', async (t) => {
  // What is left over is not found by chance before the next instance is started.
  const fleet = await testFleet(t, { resyncMs: 30_000 });
  const { engine, join } = fleet;
  await join(1);
  await join(2);
  const { volume, row } = await storeOn(fleet, own);
  const before = await row();
  const most = mostUsers(t, fleet, volume);
  engine.cut(before?.nodeId ?? '');
  await until('its volume is out of reach', async () => /out of reach/.test((await row())?.failureMessage ?? ''));
  assert.deepEqual(engine.usersOf(volume), [before?.id]);
  engine.heal(before?.nodeId ?? '');
  const after = await until('it runs', async () => {
    const found = await row();
    return found?.state === 'ready' ? found : null;
  });
  assert.notEqual(after.id, before?.id);
  assert.deepEqual([after.nodeId, engine.usersOf(volume), most()], [before?.nodeId, [after.id], 1]);
});

test('a healthy instance whose node fails before it is ready is not sought at its old address', async (t) => {
  const { db, engine, join, serve } = await testFleet(t);
  const one = await join(1);
  const shop = await serve('shop', 1);
  const two = await join(2);
  const [row] = await db.instances.list(shop);
  assert.ok(row);
  await db.instances.update(row.id, { state: 'starting' });
  engine.fail(one.id);
  const after = await until('it runs elsewhere', async () => {
    const [found] = await db.instances.list(shop);
    return found?.state === 'ready' && found.nodeId === two.id ? found : null;
  });
  const running = (await engine.list()).find(({ id }) => id === after.id);
  assert.deepEqual(running?.address, { host: after.host, port: after.port });
});

for (const strategy of ['one-by-one', 'hot-swap'] as const)
  test(`instances that share a volume are drained and deployed off their node all at once (${strategy})`, async (t) => {
    const fleet = await testFleet(t);
    const { core, ann, db, engine, join, spread, ended, events } = fleet;
    const [one, two] = [await join(1), await join(2)];
    const { app } = await storeOn(fleet, common, 2, strategy === 'hot-swap' ? strategy : undefined);
    const first = (await db.instances.list(app))[0]?.nodeId === one.id ? one : two;
    const second = first === one ? two : one;
    assert.equal((await ended(await core.nodes.drain(systemActor, first.id))).status, 'succeeded');
    await until('both run there', async () => (await spread(app))[second.id] === 2);
    await core.nodes.uncordon(systemActor, first.id);
    await core.nodes.cordon(systemActor, second.id);
    await until('the engine knows', () =>
      engine.nodes.every(({ id, schedulable }) => schedulable === (id === first.id)),
    );
    const restart = await core.apps.restart(ann, app);
    assert.equal((await ended(restart)).status, 'succeeded');
    assert.deepEqual(await spread(app), { [first.id]: 2 });
    assert.equal((await events('InstanceCrashed')).length, 0);
  });

test('a removal carries the volumes of what does not run, and says what it waits for', async (t) => {
  const fleet = await testFleet(t);
  const { core, ann, db, engine, join, spread, ended } = fleet;
  const one = await join(1);
  const { app, volume } = await storeOn(fleet, own);
  await core.processes.update(ann, app, [{ type: 'web', quantity: 0 }]);
  await until('nothing runs', async () => (await db.instances.list(app)).length === 0);
  const removal = await core.nodes.remove(systemActor, one.id);
  await until('it says so', async () => {
    const { left, message } = await core.moves.progress(systemActor, removal.id);
    return left === 0 && /^1 volume to carry \(store\S* web \/data: it cannot be carried now\)$/.test(message ?? '');
  });
  const two = await join(2);
  assert.equal((await ended(removal)).status, 'succeeded');
  assert.deepEqual(
    (await engine.carryVolumes(two.id)).map(({ id }) => id),
    [volume],
  );
  await core.processes.update(ann, app, [{ type: 'web', quantity: 1 }]);
  await until('it runs again', async () => (await spread(app))[two.id] === 1);
});

test('what went with a node that was removed by force does not keep its app from starting', async (t) => {
  const fleet = await testFleet(t);
  const { core, engine, join, spread } = fleet;
  const one = await join(1);
  const { app } = await storeOn(fleet, own);
  const two = await join(2);
  engine.cut(one.id);
  await core.nodes.remove(systemActor, one.id, { force: true });
  await until('it runs elsewhere', async () => (await spread(app))[two.id] === 1);
});
