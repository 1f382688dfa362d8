// test-timeout: 300
/** What each update strategy promises, under load: requests come at a steady pace while components move between versions. */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { startPlatform, type TestPlatform } from '../../support/platform.ts';
import { versionedApp } from '../../support/source.ts';
import { rollUnderLoad } from './rolling.ts';
import { buildImage, unique } from './swarm.ts';

const PER_SECOND = 100;
const ROUNDS = 4;

suite('strategies under load', () => {
  const endings: (() => Promise<void>)[] = [];
  let platform: TestPlatform;
  let image: string;
  before(async () => {
    platform = await startPlatform({ after: (work: () => Promise<void>) => void endings.push(work) });
    image = await buildImage(platform, unique('moving'), {
      one: versionedApp('one', 'strategies'),
      two: versionedApp('two', 'strategies'),
    });
  });
  after(async () => {
    for (const end of endings) await end();
  });

  const roll = (strategy: string, instances: number, volumes: readonly unknown[] = []) =>
    rollUnderLoad(platform, { image, strategy, instances, volumes, rounds: ROUNDS, perSecond: PER_SECOND });

  test('one-by-one with two instances has no outage, and instances keep their ids', async () => {
    const { result, ids } = await roll('one-by-one', 2);
    assert.deepEqual(result.failures, []);
    assert.deepEqual(
      ids,
      Array.from({ length: ROUNDS + 1 }, () => ids[0]),
    );
  });

  test('one-by-one with volumes: a seat is left before it is taken again, and two instances have no outage', async () => {
    const { result, ids } = await roll('one-by-one', 2, [{ path: '/data', size: '1 GB' }]);
    assert.deepEqual(result.failures, []);
    assert.deepEqual(
      ids,
      Array.from({ length: ROUNDS + 1 }, () => ids[0]),
    );
  });

  test('hot-swap has no outage even with one instance; the new one has a new id', async () => {
    const { result, ids } = await roll('hot-swap', 1, [{ path: '/data', size: '1 GB' }]);
    assert.deepEqual(result.failures, []);
    assert.equal(new Set(ids.flat()).size, ROUNDS + 1);
  });

  test('all-at-once stops the old before the new: what fails in between is refused with 503, and ids stay', async () => {
    const { result, ids } = await roll('all-at-once', 2);
    assert.ok(result.failed < result.sent, 'it serves before and after');
    assert.ok(
      result.failures.every((failure) => failure.includes('503')),
      result.failures.join('\n'),
    );
    assert.deepEqual(
      ids,
      Array.from({ length: ROUNDS + 1 }, () => ids[0]),
    );
  });
});
