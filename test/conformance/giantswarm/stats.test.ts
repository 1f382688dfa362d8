// test-timeout: 180
/** What an instance uses, as the kernel counts it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startPlatform } from '../../support/platform.ts';
import { until } from '../../support/until.ts';
import { idsOf, runApp } from './running.ts';
import { appIs, type Swarm, swarmOf } from './swarm.ts';

interface Stats {
  readonly ComponentName: string;
  readonly MemoryUsageMb: number;
  readonly MemoryCapacityMb: number;
  readonly MemoryUsagePercent: number;
  readonly CpuUsagePercent: number;
}

/** Holds 60 MB, and is busy half of the time when told so by its argument. */
const program = `const held = Buffer.alloc(60 * 1024 * 1024, 1);
if (process.argv[2] === 'busy') setInterval(() => { const end = Date.now() + 50; while (Date.now() < end); }, 100);
else setInterval(() => held.length, 1000);
`;

test('memory and processor of one instance; nothing of one that is down', async (t) => {
  const platform = await startPlatform(t);
  const swarm = swarmOf(platform, platform.token);
  const files = (argument: string) => ({
    Procfile: `web: node use.js ${argument}\n`,
    'package.json': '{}',
    'use.js': program,
  });
  const busy = await runApp(platform, swarm, files('busy'));
  const calm = await runApp(platform, swarm, files('calm'));

  const reply = await swarm('GET', `/org/main/instance/${busy.ids[0]}/stats`);
  assert.deepEqual([reply.status, reply.json.status_code, reply.json.status_text], [200, 10000, 'success']);
  const stats = reply.json.data as Stats;
  assert.deepEqual(Object.keys(stats), [
    'ComponentName',
    'MemoryUsageMb',
    'MemoryCapacityMb',
    'MemoryUsagePercent',
    'CpuUsagePercent',
  ]);
  assert.equal(stats.ComponentName, `${busy.name}/service/component`);
  assert.ok(stats.MemoryUsageMb > 60 && stats.MemoryUsageMb < 200, JSON.stringify(stats));
  assert.ok(stats.MemoryCapacityMb >= 256, JSON.stringify(stats));
  const percent = (stats.MemoryUsageMb / stats.MemoryCapacityMb) * 100;
  assert.ok(Math.abs(stats.MemoryUsagePercent - percent) < 0.001, JSON.stringify(stats));
  // Half of one core, measured over a quarter of a second on a machine that does other things too.
  await until('half of a core is seen', async () => {
    const { CpuUsagePercent: share } = await statsOf(swarm, 'GET', busy.ids[0]);
    return share > 20 && share < 80;
  });
  await until('next to nothing is seen', async () => (await statsOf(swarm, 'POST', calm.ids[0])).CpuUsagePercent < 10);

  const update = `${calm.path}/service/service/component/component/version/1/update`;
  assert.equal((await swarm('POST', update, { strategy: 'hot-swap' })).status, 200);
  const [swapped] = await until('the instance has made room for another', async () => {
    const ids = idsOf(await appIs(swarm, calm.path, 'up'));
    return ids.length === 1 && ids[0] !== calm.ids[0] ? ids : null;
  });
  for (const id of [swapped, swapped.slice(0, 7)])
    assert.ok((await statsOf(swarm, 'GET', id)).MemoryUsageMb > 0, 'an instance of a later series is found');
  await until('the one before is gone', async () => {
    return (await swarm('GET', `/org/main/instance/${calm.ids[0]}/stats`)).status === 404;
  });

  await swarm('POST', `${busy.path}/stop`);
  await appIs(swarm, busy.path, 'down');
  assert.deepEqual(await statsOf(swarm, 'GET', busy.ids[0]), {
    ComponentName: `${busy.name}/service/component`,
    MemoryUsageMb: 0,
    MemoryCapacityMb: stats.MemoryCapacityMb,
    MemoryUsagePercent: 0,
    CpuUsagePercent: 0,
  });
  assert.equal((await swarm('GET', '/org/main/instance/zzzzzzzzzzzz/stats')).status, 404);
  assert.equal((await swarm('GET', `/org/nobodys/instance/${busy.ids[0]}/stats`)).status, 403);
  assert.equal((await swarmOf(platform, null)('GET', `/org/main/instance/${busy.ids[0]}/stats`)).status, 401);
});

async function statsOf(swarm: Swarm, method: string, id: string): Promise<Stats> {
  return (await swarm(method, `/org/main/instance/${id}/stats`)).json.data as Stats;
}
