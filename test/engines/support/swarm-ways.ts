/** What the Docker engine promises of the ways to its machines: addresses, and TLS material. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import type { NodeSpec } from '../../../src/core/ports/engine.ts';
import { createTlsAuthority } from '../../support/docker-tls.ts';
import { until } from '../../support/until.ts';
import { type SwarmHarness, untilReady } from './swarm-harness.ts';
import { everyone, swarmScene } from './swarm-scene.ts';

/** All three nodes are ready before and after each of them. */
export function wayTests(harness: () => SwarmHarness): void {
  const { useAll, machine, info, statesOf, startOn, startMany, nodesOf, removeAll } = swarmScene(harness);

  test('a second address of a node is refused, and taken out again it takes nothing along', async () => {
    const specs = await startOn(everyone);
    const rows = [1, 2, 3].map((number) => harness().row(number));
    const twins = [1, 2].map((number) =>
      harness().row(number, { id: `twin-${number}`, address: machine(number).unixHost }),
    );
    await harness().engine.useNodes([...rows, ...twins]);
    for (const [index, { id }] of twins.entries()) {
      const message = await until('a message', async () => {
        const found = (await harness().engine.describe()).nodes.find((node) => node.id === id);
        return found?.message?.includes('already') === true ? found.message : null;
      });
      assert.match(
        message,
        new RegExp(`is node ${machine(index + 1).host} already: .berth nodes remove ${machine(index + 1).unixHost}`),
      );
    }
    assert.equal((await harness().engine.list()).length, 3);
    await harness().engine.useNodes(rows);
    // Waits for those that leave.
    await harness().restart();
    await useAll();
    assert.deepEqual(await statesOf(specs), ['running', 'running', 'running']);
    await removeAll([...specs.values()]);
  });

  test('a machine that is removed and at once added by another address has left before, and then takes instances', async () => {
    const rows = [1, 2].map((number) => harness().row(number, { schedulable: false }));
    const tcp = harness().row(3);
    const unix = harness().row(3, { id: 'moved', address: machine(3).unixHost });
    await useAll();
    for (const [row, ready] of [
      [unix, ['moved', 'node-1', 'node-2']],
      [tcp, everyone],
    ] as const) {
      const { NodeID } = (await info(3)).Swarm;
      if (row === unix) await harness().engine.useNodes(rows);
      await harness().engine.useNodes([...rows, row]);
      await untilReady(harness().engine, ready);
      assert.notEqual((await info(3)).Swarm.NodeID, NodeID);
      const specs = await startMany(2);
      assert.deepEqual(await nodesOf(specs), [row.id, row.id]);
      await removeAll(specs);
    }
  });

  test('other TLS material is used when it works; until then the former is, and nothing is missed', async () => {
    const specs = await startOn(everyone);
    const material = harness().row(3).tls;
    assert.ok(material);
    const useTls = (tls: NodeSpec['tls']): Promise<void> =>
      harness().engine.useNodes([harness().row(1), harness().row(2), harness().row(3, { tls })]);
    const message = async (): Promise<string | null> => {
      assert.equal((await harness().engine.list()).length, specs.size);
      return (await harness().engine.describe()).nodes.find(({ id }) => id === 'node-3')?.message ?? null;
    };
    const authority = await createTlsAuthority(join(machine(3).folder, 'other-tls'));
    const { ca: other } = await authority.issue('stranger');
    await useTls({ ...material, ca: other });
    const isWrong = async (): Promise<boolean> => /its certificate is not of the CA/.test((await message()) ?? '');
    await until('what is wrong with it is said', isWrong);
    await useTls({ ...material, ca: `${material.ca}\n` });
    await until('it is used', async () => (await message()) === null);
    await until('it answers', () => harness().engine.exec(specs.get('node-3')?.id ?? '', { command: ['true'] }));
    assert.deepEqual(await statesOf(specs), ['running', 'running', 'running']);
    await removeAll([...specs.values()]);
  });
}
