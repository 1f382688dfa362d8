/** What the Docker engine promises while one of its machines answers and does nothing, and when it comes up after its server. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import type { InstanceSpec } from '../../../src/core/ports/engine.ts';
import { attempt, command, textOf } from '../../support/system-command.ts';
import { until } from '../../support/until.ts';
import { answerOf, type SwarmHarness, untilReady, untilRunning } from './swarm-harness.ts';
import { everyone, patienceMs, swarmScene } from './swarm-scene.ts';

/** The machine is asked whether it is there once a second. */
const pulseMs = 1_200;

/** No table was told before it. */
export function loneTests(harness: () => SwarmHarness): void {
  const { machine, startMany, removeAll } = swarmScene(harness);

  /** Whoever wants to connect to its daemon from outside is refused. */
  const door = (state: 'shut' | 'open'): Promise<string> => {
    const rule = ['INPUT', '-p', 'tcp', '--dport', '2376', '-j', 'REJECT', '--reject-with', 'tcp-reset'];
    const into = ['nsenter', `--net=/run/netns/${machine(1).namespace}`, '--'];
    return command(...into, 'iptables', '-w', state === 'shut' ? '-I' : '-D', ...rule);
  };

  /** A server starts while the daemon is out of its reach, and has it back right after a question in vain. */
  async function startBlind(): Promise<void> {
    await door('shut');
    await harness().restart();
    await harness().engine.useNodes([harness().row(1)]);
    const begun = performance.now();
    await until('it was asked in vain', () => performance.now() - begun > pulseMs);
    await door('open');
  }
  const untilAnswer = async (specs: readonly InstanceSpec[]): Promise<void> => {
    const instance = await untilRunning(harness().engine, specs[0]);
    assert.equal(await until('an answer', () => answerOf(instance), patienceMs), 'hello');
    await removeAll(specs);
  };

  test('a node that is alone and comes up after its server is reached, whoever asked first', async () => {
    await harness().engine.useNodes([harness().row(1)]);
    await untilReady(harness().engine, ['node-1']);
    await harness().engine.close();
    // Neither its firewall nor the route to it is left.
    await machine(1).powerOff();
    await attempt('ip', 'route', 'delete', harness().options.addressPool ?? '');
    await machine(1).start();
    await startBlind();
    const { nodes } = await harness().engine.describe();
    assert.deepEqual(
      nodes.map(({ id, state }) => [id, state]),
      [['node-1', 'ready']],
    );
    await untilAnswer(await startMany(1));
    await startBlind();
    await untilAnswer(await startMany(1));
  });
}

/** All three nodes are ready before and after each of them. */
export function hangTests(harness: () => SwarmHarness): void {
  const { useAll, startOn, removeAll, ask, api } = swarmScene(harness);
  /** Longer than the patience with one node, and shorter than a script may take on it. */
  const longestMs = 17_000;
  /** Shorter than anything that is waited for on a node. */
  const endMs = 10_000;

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

  test('a server ends at once while a node that leaves hangs, and the next one has that node as it was', async () => {
    await removeAll([...(await startOn(everyone)).values()]);
    const shim = await shimOfHelper(2);
    process.kill(shim, 'SIGSTOP');
    try {
      await harness().engine.useNodes([1, 3].map((number) => harness().row(number)));
      const begun = performance.now();
      await harness().restart();
      assert.ok(performance.now() - begun < endMs, `it took ${performance.now() - begun} ms`);
    } finally {
      process.kill(shim, 'SIGCONT');
    }
    await useAll();
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
