/** What the Docker engine promises while one of its machines answers and does nothing, and when it comes up after its server. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { attempt, textOf } from '../../support/system-command.ts';
import { until } from '../../support/until.ts';
import { answerOf, type SwarmHarness, untilReady, untilRunning } from './swarm-harness.ts';
import { everyone, patienceMs, swarmScene } from './swarm-scene.ts';

/** No table was told before it. */
export function loneTests(harness: () => SwarmHarness): void {
  const { machine, startMany, removeAll } = swarmScene(harness);

  test('a node that is alone and comes up after its server is reached, whoever asked first', async () => {
    await harness().engine.useNodes([harness().row(1)]);
    await untilReady(harness().engine, ['node-1']);
    await machine(1).powerOff();
    await harness().restart();
    await harness().engine.useNodes([harness().row(1)]);
    // What a server leaves that ended is not there on a machine that started too.
    await attempt('ip', 'route', 'delete', harness().options.addressPool ?? '');
    const never = (): null => null;
    // A question that is asked all the time is answered before the one that is asked each second.
    const answered = until('it says what it is', () => harness().engine.describe().catch(never), patienceMs);
    await machine(1).start();
    assert.deepEqual(
      (await answered).nodes.map(({ id, state }) => [id, state]),
      [['node-1', 'ready']],
    );
    const specs = await startMany(1);
    const instance = await untilRunning(harness().engine, specs[0]);
    assert.equal(await until('an answer', () => answerOf(instance), patienceMs), 'hello');
    await removeAll(specs);
  });
}

/** All three nodes are ready before and after it. */
export function hangTests(harness: () => SwarmHarness): void {
  const { startOn, removeAll, ask, api } = swarmScene(harness);
  /** Longer than the patience with one node, and shorter than a script may take on it. */
  const longestMs = 17_000;

  test('a node on which nothing begins any more holds up new links once, and has them when it goes on', async () => {
    const target = 'store';
    const backends = await startOn(everyone);
    const running = await Promise.all([...backends.values()].map((spec) => untilRunning(harness().engine, spec)));
    const callers = await startOn(everyone, { processType: 'caller', links: [{ name: 'store', target, port: 6379 }] });
    const addresses = running.flatMap(({ address }) => address ?? []);
    const lead = (count: number): Promise<void> =>
      harness().engine.routeLinks([{ target, spaceId: 'fleet', port: 6379, backends: addresses.slice(0, count) }]);
    const asked = async (node: string): Promise<string> =>
      (await ask(callers.get(node)?.id ?? '', ['http://store:6379/'])).join();
    await lead(0);
    assert.equal(await asked('node-2'), 'refused');
    const shim = await shimOfHelper(2);
    process.kill(shim, 'SIGSTOP');
    try {
      const begun = performance.now();
      await lead(1);
      const first = performance.now();
      assert.ok(first - begun < longestMs, `the first took ${first - begun} ms`);
      await lead(2);
      await lead(3);
      assert.ok(performance.now() - first < longestMs / 2, `more took ${performance.now() - first} ms`);
      assert.equal(await asked('node-1'), 'hello');
      assert.equal(await asked('node-2'), 'refused');
    } finally {
      process.kill(shim, 'SIGCONT');
    }
    await until('it has them', async () => (await asked('node-2')) === 'hello', patienceMs);
    await harness().engine.routeLinks([]);
    await removeAll([...backends.values(), ...callers.values()]);
  });

  /** The process through which all begins that is run in the container that sets the node up. */
  async function shimOfHelper(number: number): Promise<number> {
    const containers: readonly { readonly Id: string; readonly Labels: Readonly<Record<string, string>> }[] =
      JSON.parse(await api(number, '/containers/json'));
    const id = containers.find(({ Labels }) => Labels['berth.role'] === 'helper')?.Id ?? '';
    const isShim = (pid: string): boolean =>
      id !== '' &&
      textOf(`/proc/${pid}/comm`).startsWith('containerd-shim') &&
      textOf(`/proc/${pid}/cmdline`).includes(id);
    const found = readdirSync('/proc').find((each) => /^\d+$/.test(each) && isShim(each));
    assert.ok(found, 'no shim of the helper');
    return Number(found);
  }
}
