/** Every server tells its own engine the nodes, before it concludes anything from what the engine lists. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Controllers } from '../../src/control/controllers.ts';
import { ensureHomeNode } from '../../src/control/nodes/home-node.ts';
import { systemActor } from '../../src/core/access/actor.ts';
import type { Engine, NodeSpec } from '../../src/core/ports/engine.ts';
import { SimulatedEngine } from '../../src/engines/simulated/simulated-engine.ts';
import { systemClock, systemIds } from '../../src/lib/clock.ts';
import { addressOf, testFleet } from '../support/fleet.ts';
import { until } from '../support/until.ts';

const home = { address: 'unix:///var/run/docker.sock', engine: 'simulated' };

/** The verbs of an engine, some of them replaced. */
function engineWith(engine: SimulatedEngine, change: Partial<Engine>): Engine {
  return new Proxy(engine, {
    get(target, name) {
      if (name in change) return change[name as keyof Engine];
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

test('the daemon of the settings is a node from the first moment, and follows the settings', async (t) => {
  const { context, controllers, core, engine, events } = await testFleet(t, { homeNode: home });
  const [node] = await core.nodes.list(systemActor);
  assert.deepEqual([node?.address, node?.isHome, node?.hasTls], [home.address, true, false]);
  assert.deepEqual(
    engine.nodes.map(({ id, address }) => [id, address]),
    [[node?.id, home.address]],
  );
  await until('it is ready', async () => (await events('NodeReady')).length === 1);

  await controllers.stop();
  const moved = { ...context, homeNode: { ...home, address: addressOf(1) } };
  await Promise.all([ensureHomeNode(moved), ensureHomeNode(moved).catch(() => {})]);
  assert.deepEqual(
    (await core.nodes.list(systemActor)).map((item) => [item.id, item.address]),
    [[node?.id, addressOf(1)]],
  );
  await core.nodes.add(systemActor, { address: addressOf(2) });
  await ensureHomeNode({ ...context, homeNode: { ...home, address: addressOf(2) } });
  assert.deepEqual(
    (await core.nodes.list(systemActor)).map((item) => [item.address, item.isHome]),
    [
      [addressOf(1), false],
      [addressOf(2), true],
    ],
  );
});

test('without a pool of its engine there is no home node yet; it comes with the first one', async (t) => {
  const { core, db, engine } = await testFleet(t, { homeNode: { ...home, engine: 'docker' } });
  assert.deepEqual(await core.nodes.list(systemActor), []);
  const pool = await core.pools.create(systemActor, { name: 'boxes', engine: 'docker' });
  await until('the engine has it', () => engine.nodes.length === 1);
  assert.equal((await db.nodes.findHome())?.poolId, pool.id);
});

test('a server whose engine was not told its nodes does not lead, and takes nothing for lost', async (t) => {
  let isAway = true;
  let looks = 0;
  let tries = 0;
  const fleet = await testFleet(t, {
    engine: ({ engine }) =>
      engineWith(engine, {
        async useNodes(nodes: readonly NodeSpec[]) {
          tries += 1;
          if (isAway) throw new Error('the daemon is away');
          await engine.useNodes(nodes);
        },
        list() {
          looks += 1;
          return engine.list();
        },
      }),
  });
  await until('it has tried again', () => tries >= 2);
  assert.deepEqual([fleet.controllers.leading, looks], [false, 0]);
  isAway = false;
  await until('it leads and looks', () => fleet.controllers.leading && looks > 0);
});

test('every server hears of a new node, also one that does not lead', async (t) => {
  const { context, core, engine, controllers, join } = await testFleet(t);
  const other = new SimulatedEngine({ clock: systemClock, logAppender: { append: async () => {} } });
  const second = new Controllers({ ...context, engine: other, sandbox: other, holder: systemIds.id() }, 'berth.test');
  try {
    await second.start();
    assert.deepEqual([controllers.leading, second.leading], [true, false]);
    const node = await join(1);
    await until('it knows it too', () => other.nodes.length === 1);
    await core.nodes.cordon(systemActor, node.id);
    await until('both know', () => [engine, other].every(({ nodes }) => nodes[0]?.schedulable === false));
  } finally {
    await second.stop();
    other.close();
  }
});
