// test-timeout: 300
// test-alone
/** Deploys on Docker, one after another, while requests come at a steady pace. */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { rollUnderLoad } from '../conformance/giantswarm/rolling.ts';
import { buildImage, unique } from '../conformance/giantswarm/swarm.ts';
import { missingForDocker } from '../support/docker-daemon.ts';
import { startDockerPlatform } from '../support/docker-platform.ts';
import type { TestPlatform } from '../support/platform.ts';
import { versionedApp } from '../support/source.ts';

const PER_SECOND = 150;

suite('deploys under load on docker', { skip: missingForDocker() ?? false }, () => {
  const endings: (() => Promise<void>)[] = [];
  let platform: TestPlatform;
  let image: string;
  before(async () => {
    ({ platform } = await startDockerPlatform({ after: (work: () => Promise<void>) => void endings.push(work) }));
    image = await buildImage(platform, unique('moving'), {
      one: versionedApp('one', 'docker-deploys'),
      two: versionedApp('two', 'docker-deploys'),
    });
  });
  after(async () => {
    for (const end of endings) await end();
  });

  for (const { strategy, instances, deploys } of [
    { strategy: 'one-by-one', instances: 2, deploys: 10 },
    { strategy: 'hot-swap', instances: 2, deploys: 10 },
  ]) {
    test(`${deploys} deploys in a row, ${strategy}, drop no request`, async (t) => {
      const rolling = { image, strategy, instances, rounds: deploys, perSecond: PER_SECOND };
      const { result } = await rollUnderLoad(platform, rolling);
      t.diagnostic(`${result.sent} requests, ${result.perSecond}/s, ${result.failed} failed`);
      assert.deepEqual(result.failures, []);
      assert.equal(result.failed, 0);
      assert.ok(result.perSecond >= 0.9 * PER_SECOND, `the load was steady: ${result.perSecond}/s`);
    });
  }

  test('all at once stops the old before the new: each request in between is answered with 503', async (t) => {
    const rolling = { image, strategy: 'all-at-once', instances: 2, rounds: 2, perSecond: PER_SECOND };
    const { result } = await rollUnderLoad(platform, rolling);
    t.diagnostic(`${result.sent} requests, ${result.failed} answered with 503`);
    assert.ok(result.failed > 0 && result.failed < result.sent, 'it serves before and after');
    assert.equal(result.unanswered, 0, result.failures.join('\n'));
    assert.ok(
      result.failures.every((failure) => failure.includes('status 503')),
      result.failures.join('\n'),
    );
  });
});
