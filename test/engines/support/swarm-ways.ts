/** What the Docker engine promises of the ways to its machines: addresses, and TLS material. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import type { NodeSpec } from '../../../src/core/ports/engine.ts';
import { createTlsAuthority } from '../../support/docker-tls.ts';
import { until } from '../../support/until.ts';
import type { SwarmHarness } from './swarm-harness.ts';
import { everyone, swarmScene } from './swarm-scene.ts';

/** All three nodes are ready before and after each of them. */
export function wayTests(harness: () => SwarmHarness): void {
  const { machine, statesOf, startOn, removeAll } = swarmScene(harness);

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
    await harness().engine.useNodes(rows);
    assert.deepEqual(await statesOf(specs), ['running', 'running', 'running']);
    await removeAll([...specs.values()]);
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
