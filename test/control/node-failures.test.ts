/** What becomes of instances when their nodes fail, or they themselves, over the whole control loop. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemActor } from '../../src/core/access/actor.ts';
import type { Engine } from '../../src/core/ports/engine.ts';
import { testFleet } from '../support/fleet.ts';
import { until } from '../support/until.ts';

test('a node that fails is replaced elsewhere, and is said to be healed when all runs again', async (t) => {
  const { core, engine, join, serve, seen, spread, events } = await testFleet(t);
  const [one, two] = [await join(1), await join(2)];
  const [shop, blog] = [await serve('shop', 4), await serve('blog', 2)];
  await seen();
  engine.fail(one.id);
  await until('it is healed', async () => (await events('NodeHealed')).length === 1);
  assert.deepEqual([await spread(shop), await spread(blog)], [{ [two.id]: 4 }, { [two.id]: 2 }]);
  const [healed] = await events('NodeHealed');
  assert.deepEqual([healed?.data.node, healed?.data.moved], [one.id, 3]);
  assert.deepEqual(
    (await events('NodeDown')).map(({ data }) => data.node),
    [one.id],
  );
  assert.equal((await core.nodes.get(systemActor, one.id)).state, 'down');
  engine.heal(one.id);
  await until(
    'it is ready again',
    async () => (await events('NodeReady')).filter(({ data }) => data.node === one.id).length === 2,
  );
  assert.equal((await events('NodeHealed')).length, 1);
});

test('when all nodes fail, nothing is healed until one is back; then all runs at once', async (t) => {
  const { context, db, engine, join, serve, seen, spread, events } = await testFleet(t);
  const [one, two] = [await join(1), await join(2)];
  const shop = await serve('shop', 4);
  await seen();
  engine.fail(one.id);
  engine.fail(two.id);
  // As after many more restarts: nobody whose back-off has to end comes up within this test.
  const retryAt = new Date(context.clock.now().getTime() + 3_600_000);
  await until('no node takes them, again and again', async () => {
    const rows = await db.instances.list(shop);
    const areWaiting = rows.filter((row) => row.state === 'crashed' && row.restarts >= 3);
    for (const { id } of areWaiting) await db.instances.update(id, { retryAt });
    const late = areWaiting.filter((row) => row.retryAt?.getTime() === retryAt.getTime());
    return rows.length === 4 && late.length === 4;
  });
  assert.equal((await events('NodeHealed')).length, 0);
  engine.heal(two.id);
  await until('all run, nobody waits for the end of the back-off', async () => (await spread(shop))[two.id] === 4);
  await until('both are healed', async () => (await events('NodeHealed')).length === 2);
});

test('a crashed instance comes up elsewhere in its own time, and a drain does not wait for it', async (t) => {
  const { core, db, engine, join, serve, ended } = await testFleet(t);
  const one = await join(1);
  const shop = await serve('shop', 1);
  const two = await join(2);
  const [row] = await db.instances.list(shop);
  for (let crashes = 1; crashes <= 3; crashes += 1) {
    const id = await until('it runs', async () => {
      const [found] = await db.instances.list(shop);
      return found?.state === 'ready' ? found.id : null;
    });
    engine.crash(id);
    await until(
      'it has crashed',
      async () =>
        (await db.instances.list(shop))[0]?.id !== id || (await db.instances.list(shop))[0]?.state === 'crashed',
    );
  }
  assert.notEqual((await db.instances.list(shop))[0]?.id, row?.id);
  await ended(await core.nodes.drain(systemActor, one.id));
  await until('it runs on the other', async () => {
    const [found] = await db.instances.list(shop);
    return found?.state === 'ready' && found.nodeId === two.id;
  });
});

test('a node that went down is not healed by what was listed before', async (t) => {
  let before: Awaited<ReturnType<Engine['list']>> | null = null;
  const { engine, join, serve, seen, spread, events } = await testFleet(t, {
    engine: ({ engine }) =>
      new Proxy(engine, {
        get(target, name) {
          if (name === 'list') return async () => before ?? (await target.list());
          const member = Reflect.get(target, name);
          return typeof member === 'function' ? member.bind(target) : member;
        },
      }),
  });
  const [one, two] = [await join(1), await join(2)];
  const shop = await serve('shop', 2);
  await seen();
  before = await engine.list();
  engine.fail(one.id);
  await until('it is down', async () => (await events('NodeDown')).length === 1);
  await seen();
  assert.equal((await events('NodeHealed')).length, 0);
  before = null;
  await until('it is healed', async () => (await events('NodeHealed')).length === 1);
  assert.deepEqual(await spread(shop), { [two.id]: 2 });
});
