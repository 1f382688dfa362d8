/** What the Docker engine promises of volumes over three machines. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { InstanceSpec } from '../../../src/core/ports/engine.ts';
import { until } from '../../support/until.ts';
import { find, type SwarmHarness, untilEmpty, untilRunning } from './swarm-harness.ts';

/** What could not be carried is tried again after a minute. */
const patienceMs = 150_000;

/** All three nodes are ready before and after each of them. */
export function volumeTests(harness: () => SwarmHarness): void {
  test('a volume stays where it lies, and is carried over when its node takes nothing new', async () => {
    const mounts = [{ volumeId: `v-${harness().options.installId}`, path: '/app/data' }];
    const script =
      'mkdir -p data/deep && echo kept > data/deep/file && chmod 640 data/deep/file && ln -s deep/file data/link && mkfifo data/pipe && ' +
      // A server that is killed leaves its socket, which no archive takes.
      `(node -e 'require("node:net").createServer().listen("data/live.sock", () => process.kill(process.pid, 9))' 2>/dev/null || [ -S data/live.sock ]) && ` +
      'ls -ln data/deep/file && sleep 600';
    const writer = harness().spec({ mounts, command: script });
    await harness().engine.start(writer);
    const { nodeId } = await untilRunning(harness().engine, writer);
    await until('it is written', () => harness().lines(writer.appId).length > 0);
    await removeAll(harness(), [writer]);
    const again = harness().spec({ appId: writer.appId, mounts, command: 'cat data/link; sleep 600' });
    await harness().engine.start(again);
    assert.equal((await untilRunning(harness().engine, again)).nodeId, nodeId);
    await until('it is read', () => harness().lines(writer.appId).includes('kept'));
    await removeAll(harness(), [again]);
    const number = Number(nodeId.replace('node-', ''));
    await harness().engine.useNodes([1, 2, 3].map((each) => harness().row(each, { schedulable: each !== number })));
    const reader = harness().spec({ mounts, command: 'cat data/link; ls -ln data/deep/file; sleep 600' });
    await harness().engine.start(reader);
    assert.notEqual((await untilRunning(harness().engine, reader)).nodeId, nodeId);
    await until('it is read elsewhere', () => harness().lines(reader.appId).length === 2);
    const listing = (text: string | undefined): string => text?.split(' ').slice(0, 5).join(' ') ?? '';
    assert.deepEqual(harness().lines(reader.appId)[0], 'kept');
    assert.equal(listing(harness().lines(reader.appId)[1]), listing(harness().lines(writer.appId)[0]));
    assert.deepEqual(await harness().engine.volumes(), [mounts[0]?.volumeId]);
    const { nodeId: left } = await untilRunning(harness().engine, reader);
    assert.deepEqual(await harness().engine.carryVolumes(left), [{ id: mounts[0]?.volumeId, obstacle: null }]);
    await removeAll(harness(), [reader]);
    await harness().engine.useNodes(
      [1, 2, 3].map((each) => harness().row(each, { schedulable: `node-${each}` !== left })),
    );
    await until('it is carried off', async () => (await harness().engine.carryVolumes(left)).length === 0, patienceMs);
    await harness().engine.useNodes([1, 2, 3].map((each) => harness().row(each)));
    const last = harness().spec({ mounts, command: 'cat data/link; sleep 600' });
    await harness().engine.start(last);
    assert.notEqual((await untilRunning(harness().engine, last)).nodeId, left);
    await until('it is read', () => harness().lines(last.appId).includes('kept'));
    await removeAll(harness(), [last]);
    await harness().engine.removeVolume(mounts[0]?.volumeId ?? '');
    assert.deepEqual(await harness().engine.volumes(), []);
  });

  test('a volume that one instance is to have alone is not given to a second one while the first runs', async () => {
    const mounts = [{ volumeId: `x-${harness().options.installId}`, path: '/app/data', exclusive: true }];
    const [first, second] = [harness().spec({ mounts }), harness().spec({ mounts })];
    await harness().engine.start(first);
    await untilRunning(harness().engine, first);
    await harness().engine.start(second);
    const isListed = async (): Promise<boolean> => (await find(harness().engine, second.id)) !== undefined;
    await until('it is to be asked for again', async () => !(await isListed()), patienceMs);
    await harness().engine.start(second);
    await harness().engine.remove(first.id);
    await untilRunning(harness().engine, second);
    await removeAll(harness(), [second]);
    await harness().engine.removeVolume(mounts[0]?.volumeId ?? '');
  });
}

async function removeAll({ engine }: SwarmHarness, specs: readonly InstanceSpec[]): Promise<void> {
  await Promise.all(specs.map(({ id }) => engine.remove(id)));
  await untilEmpty(engine);
}
