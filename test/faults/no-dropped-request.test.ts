// test-timeout: 300
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import type { WireDyno } from '../support/deploy.ts';
import { createApp, deploy } from '../support/deploy.ts';
import { startLoad } from '../support/load.ts';
import { startPlatform } from '../support/platform.ts';
import { versionedApp } from '../support/source.ts';
import { until } from '../support/until.ts';

const DEPLOYS = 20;
const SCALINGS = [3, 1, 4, 2, 1];
const PER_SECOND = 320;

test(`${DEPLOYS} deploys and ${SCALINGS.length} scalings under ${PER_SECOND} requests/s, some 1.5 s long, drop none`, {
  timeout: 300_000,
}, async (t) => {
  const platform = await startPlatform(t);
  const marker = `marker-${randomBytes(6).toString('hex')}`;
  const path = await createApp(platform, 'steady');
  await deploy(platform, path, versionedApp('v0', marker));
  await platform.akkeris.patch(`${path}/formation`, [{ type: 'web', quantity: 2 }]);
  const load = startLoad(platform, 'steady', PER_SECOND, '/slow?ms=1500');
  try {
    for (let count = 1; count <= DEPLOYS; count += 1) {
      const { release } = await deploy(platform, path, versionedApp(`v${count}`, marker));
      assert.equal(release.status, 'succeeded');
    }
    for (const quantity of SCALINGS) {
      await platform.akkeris.patch(`${path}/formation`, [{ type: 'web', quantity }]);
      await until(
        `${quantity} run`,
        async () => {
          const dynos = await platform.akkeris.get<readonly WireDyno[]>(`${path}/dynos`);
          return dynos.length === quantity && dynos.every((dyno) => dyno.state === 'running');
        },
        60_000,
      );
    }
  } finally {
    const result = await load.stop();
    t.diagnostic(`${result.sent} requests, ${result.perSecond}/s, ${result.failed} failed`);
    assert.deepEqual(result.failures, []);
    assert.equal(result.failed, 0);
    assert.ok(result.perSecond >= 300, `the load was steady: ${result.perSecond}/s`);
  }
});
