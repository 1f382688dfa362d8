/** What the Docker engine promises of the way from the platform to instances on several machines. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { command } from '../../support/system-command.ts';
import { until } from '../../support/until.ts';
import { answerOf, find, type SwarmHarness } from './swarm-harness.ts';
import { everyone, swarmScene } from './swarm-scene.ts';

/** All three nodes are ready before and after each of them. */
export function routeTests(harness: () => SwarmHarness): void {
  const { useAll, machine, startOn, removeAll, ask } = swarmScene(harness);

  /** By the address of the instance, the one of the machine that leads there. */
  async function routes(): Promise<ReadonlyMap<string, string>> {
    const shown = await command('ip', '-4', 'route', 'show', 'root', harness().options.addressPool ?? '');
    return new Map([...shown.matchAll(/^(\d[\d.]+) via (\S+)/gm)].map(([, host = '', via = '']) => [host, via]));
  }
  async function wanted(ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const found = await Promise.all(ids.map((id) => find(harness().engine, id)));
    return new Map(
      found.map((each) => [each?.address?.host ?? '', machine(Number(each?.nodeId.slice('node-'.length))).address]),
    );
  }
  /** What crosses the overlay between machines is lost, or is no more. */
  const overlay = async (state: 'cut' | 'whole'): Promise<void> => {
    const rule = ['INPUT', '-p', 'udp', '--dport', '4789', '-j', 'DROP'];
    for (const { namespace } of [1, 2, 3].map(machine))
      await command(
        'nsenter',
        `--net=/run/netns/${namespace}`,
        'iptables',
        '-w',
        state === 'cut' ? '-I' : '-D',
        ...rule,
      );
  };

  test('each instance is reached by way of its own node, whatever becomes of the overlay between them', async () => {
    const specs = await startOn(everyone);
    const ids = [...specs.values()].map(({ id }) => id);
    assert.deepEqual(await routes(), await wanted(ids));
    const running = await Promise.all(ids.map((id) => find(harness().engine, id)));
    await overlay('cut');
    try {
      const [one, other] = running.map((instance) => `http://${instance?.address?.host}:${instance?.address?.port}/`);
      assert.deepEqual(await ask(ids[0] ?? '', [one ?? '', other ?? '']), ['hello', 'shut']);
      for (const instance of running)
        assert.equal(await until('an answer', () => instance && answerOf(instance)), 'hello');
    } finally {
      await overlay('whole');
    }
    await removeAll([...specs.values()]);
    assert.deepEqual(await routes(), new Map());
  });

  test('routes to instances stay while a server starts anew, and those that lead nowhere go', async () => {
    const specs = await startOn(everyone);
    const ids = [...specs.values()].map(({ id }) => id);
    const before = await routes();
    const [host = ''] = before.keys();
    const nobody = host.replace(/\d+$/, '250');
    await command('ip', 'route', 'replace', `${nobody}/32`, 'via', machine(2).address);
    await harness().restart();
    assert.deepEqual(await routes(), new Map([...before, [nobody, machine(2).address]]));
    await useAll();
    await until('the route that leads nowhere is gone', async () => !(await routes()).has(nobody));
    assert.deepEqual(await routes(), await wanted(ids));
    await removeAll([...specs.values()]);
  });
}
