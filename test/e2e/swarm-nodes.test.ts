// test-timeout: 600
// test-alone
/** A platform on three machines: an app is spread over them, and goes on being served whatever happens to one of them. */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { ClientError } from '../../src/client/client.ts';
import { createApp, deploy, untilRunning, type WireDyno } from '../support/deploy.ts';
import { type LoadResult, startLoad } from '../support/load.ts';
import { platformCore } from '../support/platform-core.ts';
import { ask } from '../support/request.ts';
import { versionedApp } from '../support/source.ts';
import { missingForDocker } from '../support/swarm.ts';
import { type SwarmPlatform, startSwarmPlatform } from '../support/swarm-platform.ts';
import { until } from '../support/until.ts';

interface SwarmNode {
  readonly Status: { readonly State: string };
  readonly ManagerStatus?: { readonly Reachability: string };
}

const PER_SECOND = 60;
const INSTANCES = 6;
/** A request that was with a machine when it was lost waits until that is believed, and until there is a way to another. */
const SLOWEST_MS = 12_000;
const PATIENCE_MS = 150_000;
const EVEN_AGAIN_MS = 15_000;
/** Above what a look costs. */
const EVERY_MS = 300;

suite('an app on three machines', { skip: missingForDocker() ?? false }, () => {
  const endings: (() => Promise<void>)[] = [];
  const t = { after: (work: () => Promise<void>) => void endings.push(work) };
  let swarm: SwarmPlatform;
  let path: string;
  let db: Awaited<ReturnType<typeof platformCore>>['db'];
  before(async () => {
    swarm = await startSwarmPlatform(t, 3);
    ({ db } = await platformCore(t, swarm.platform));
  });
  after(async () => {
    for (const end of endings.toReversed()) await end();
  });

  /** Works under load; gives what became of the requests. */
  async function underLoad(work: () => Promise<void>): Promise<LoadResult> {
    const load = startLoad(swarm.platform, 'spread', PER_SECOND, null);
    try {
      await work();
    } finally {
      await load.stop();
    }
    return load.stop();
  }

  const told = ({ sent, failed, lastFailureMs, slowestMs, failures }: LoadResult): string =>
    [
      `${sent} requests, ${failed} failed (the last after ${lastFailureMs} ms), the slowest answer took ${slowestMs} ms`,
      ...failures,
    ].join('\n');
  const addressOf = (number: number): string => swarm.machine(number).host;
  const node = async (number: number) => {
    const found = (await swarm.nodes()).find(({ address }) => address === addressOf(number));
    assert.ok(found, `machine ${number} is a node`);
    return found;
  };
  const untilNode = (number: number, state: string) =>
    until(`machine ${number} is ${state}`, async () => (await node(number)).state === state, PATIENCE_MS, EVERY_MS);
  const say = async (...words: readonly string[]): Promise<void> => {
    const { code, out, err } = await swarm.say(...words);
    assert.equal(code, 0, `${words.join(' ')}: ${out}${err}`);
  };
  /** Whether these came in this order, among others: a machine of a test may be too busy to answer for seconds. */
  async function haveCome(number: number, wanted: readonly string[]): Promise<void> {
    const found = await eventsOf(number);
    let next = 0;
    for (const kind of found) if (kind === wanted[next]) next += 1;
    assert.equal(next, wanted.length, `${wanted.join(', ')} of machine ${number}: ${found.join(', ')}`);
  }
  /** What became of a machine, in order. */
  async function eventsOf(number: number): Promise<readonly string[]> {
    const { items } = await db.events.list({ kinds: ['NodeDown', 'NodeReady', 'NodeHealed'] }, { limit: 50 });
    const own = items.filter(({ data }) => data.address === addressOf(number));
    return own.map(({ kind }) => kind).toReversed();
  }
  const untilHealed = (number: number) =>
    until(`machine ${number} is healed`, async () => (await eventsOf(number)).at(-1) === 'NodeHealed', PATIENCE_MS);
  /** An instance goes elsewhere when its node is silent just then; so it is said until there is nothing to move. */
  const rebalance = () =>
    until(
      'the nodes are even',
      async () => (await swarm.say('nodes', 'rebalance', '--wait')).out === 'The nodes are even.\n',
      PATIENCE_MS,
      EVERY_MS,
    );
  /** None while the platform decides nothing, as it may for moments around a loss. */
  const dynosNow = (): Promise<readonly WireDyno[]> =>
    swarm.platform.akkeris.get<readonly WireDyno[]>(`${path}/dynos`).catch((error: unknown) => {
      if (error instanceof ClientError && error.status === 503) return [];
      throw error;
    });
  /** Whether the managers of the Swarm are in touch with all nodes and each other: only then can they do without one. */
  const areManagersWhole = async (): Promise<boolean> => {
    const nodes = await swarm.read<readonly SwarmNode[]>(3, '/nodes').catch(() => []);
    return (
      nodes.length === 3 &&
      nodes.every(
        ({ Status, ManagerStatus }) => Status.State === 'ready' && ManagerStatus?.Reachability === 'reachable',
      )
    );
  };
  /** Waits until the six run on so many on each machine, and no container of others is there; a machine that is away (null) is not asked. */
  async function untilSpread(wanted: readonly (number | null)[]): Promise<void> {
    let last = '';
    let evenedAt = performance.now();
    const isSo = async (): Promise<boolean> => {
      const dynos = await dynosNow();
      const counts = await Promise.all(
        wanted.map(async (each, index) => (each === null ? null : (await swarm.containers(index + 1)).length)),
      );
      last = `${dynos.map(({ name, state }) => `${name} ${state}`).join(', ')}; containers ${counts.join(', ')}`;
      const allRun = dynos.length === INSTANCES && dynos.every(({ state }) => state === 'running');
      if (allRun && counts.join() === wanted.join()) return true;
      // A node that did not answer just when they were placed has fewer.
      if (allRun && performance.now() - evenedAt > EVEN_AGAIN_MS) {
        await swarm.say('nodes', 'rebalance', '--wait');
        evenedAt = performance.now();
      }
      return false;
    };
    await until(`instances are spread ${wanted.join(', ')}`, isSo, PATIENCE_MS, EVERY_MS).catch((error: unknown) => {
      throw new Error(`${String(error)}; last: ${last}`);
    });
  }

  test('machines are added by their addresses', async () => {
    for (const number of [2, 3]) await say('nodes', 'add', addressOf(number), '--wait');
    assert.deepEqual(
      (await swarm.nodes()).map(({ state }) => state),
      ['ready', 'ready', 'ready'],
    );
  });

  test('an app of six is spread evenly', async () => {
    path = await createApp(swarm.platform, 'spread');
    await deploy(swarm.platform, path, versionedApp('v1', 'swarm-nodes'));
    await swarm.platform.akkeris.patch(`${path}/formation`, [{ type: 'web', quantity: INSTANCES }]);
    await untilRunning(swarm.platform, path, 'web', INSTANCES);
    await untilSpread([2, 2, 2]);
  });

  test('a machine is drained, and no request fails', async (t) => {
    const result = await underLoad(async () => {
      await say('nodes', 'drain', addressOf(3), '--wait');
      await untilSpread([3, 3, 0]);
    });
    t.diagnostic(told(result));
    assert.deepEqual(result.failures, []);
  });

  test('a daemon is killed: its instances are served on until others take their place; it comes back, and none stays', async (t) => {
    const result = await underLoad(async () => {
      await swarm.machine(2).kill();
      await untilNode(2, 'down');
      await untilSpread([6, null, 0]);
      await untilHealed(2);
      await swarm.machine(2).start();
      await untilNode(2, 'ready');
      await untilSpread([6, 0, 0]);
    });
    t.diagnostic(told(result));
    assert.deepEqual(result.failures, []);
  });

  test('taken in again and rebalanced, all three carry the same, and no request fails', async (t) => {
    const result = await underLoad(async () => {
      await say('nodes', 'uncordon', addressOf(3));
      await rebalance();
      await untilSpread([2, 2, 2]);
    });
    t.diagnostic(told(result));
    assert.deepEqual(result.failures, []);
  });

  test('a machine’s wire is cut: the others serve, and what it still has goes when it is back', async (t) => {
    const began = performance.now();
    const result = await underLoad(async () => {
      await swarm.machine(2).cut();
      await untilNode(2, 'down');
      await untilSpread([3, null, 3]);
      t.diagnostic(`six serve again after ${Math.round(performance.now() - began)} ms`);
      await untilHealed(2);
      await swarm.machine(2).mend();
      await untilNode(2, 'ready');
      await untilSpread([3, 0, 3]);
    });
    t.diagnostic(told(result));
    assert.deepEqual(result.failures, []);
    assert.ok(result.slowestMs < SLOWEST_MS, `${result.slowestMs} ms`);
  });

  test('the machine of the first manager loses its power: the others serve, and the platform goes on', async (t) => {
    await until('three managers', areManagersWhole, PATIENCE_MS, EVERY_MS);
    const result = await underLoad(async () => {
      await swarm.machine(1).powerOff();
      await untilNode(1, 'down');
      await untilSpread([null, 3, 3]);
      await untilHealed(1);
      // A space of its own needs a network, which only the managers that are left can make.
      await say('spaces', 'add', 'fresh');
      const second = await createApp(swarm.platform, 'second', 'fresh');
      await deploy(swarm.platform, second, versionedApp('v1', 'swarm-nodes-second'));
      assert.match((await ask(swarm.platform, 'second-fresh')).body, /v1/);
      await swarm.platform.akkeris.delete(second);
      await swarm.machine(1).start();
      await untilNode(1, 'ready');
      await rebalance();
      await untilSpread([2, 2, 2]);
    });
    t.diagnostic(told(result));
    assert.deepEqual(result.failures, []);
  });

  test('the events tell all of it', async () => {
    const loss = ['NodeDown', 'NodeHealed', 'NodeReady'];
    await haveCome(1, ['NodeReady', ...loss]);
    await haveCome(2, ['NodeReady', ...loss, ...loss]);
    await haveCome(3, ['NodeReady']);
  });
});
