// test-timeout: 300
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemActor } from '../../src/core/access/actor.ts';
import { askDatabase, databaseApp } from '../support/database-app.ts';
import { createApp, deploy } from '../support/deploy.ts';
import { startPlatform, type TestPlatform } from '../support/platform.ts';
import { platformCore } from '../support/platform-core.ts';
import { processesWith } from '../support/processes.ts';
import { untilNothingRemains } from '../support/remains.ts';
import { until } from '../support/until.ts';

const clusterOf = (dataFolder: string): string => join(dataFolder, 'addons', 'postgres', 'cluster');

/** Whether something answers there. */
function isOpen(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 3_000 });
    const end = (open: boolean) => () => {
      socket.destroy();
      resolve(open);
    };
    socket.once('connect', end(true)).once('error', end(false)).once('timeout', end(false));
  });
}

/** Not yet while the app's route or instance is still coming up. */
async function readsBack(platform: TestPlatform, app: string): Promise<boolean> {
  const answer = await askDatabase(platform, app, 'select n from kept').catch(() => null);
  return answer?.rows?.[0]?.n === 42;
}

test('the server of database add-ons: not before the first, on the loopback only, adopted after a kill, gone after a stop', async (t) => {
  const dataFolder = await mkdtemp(join(tmpdir(), 'berth-test-'));
  t.after(() => rm(dataFolder, { recursive: true, force: true }));
  const platform = await startPlatform(t, { dataFolder });
  const { core, close } = await platformCore(t, platform);
  assert.deepEqual(await processesWith(clusterOf(dataFolder)), [], 'an idle platform has none');
  assert.equal(await isOpen('127.0.0.1', platform.port + 32), false);

  const source = await databaseApp();
  for (const name of ['first', 'second']) await deploy(platform, await createApp(platform, name), source);
  const { addon, operation } = await core.addons.create(systemActor, {
    app: 'first',
    service: 'postgresql',
    plan: 'free',
  });
  assert.equal((await core.addons.whenDone(operation, 60_000)).status, 'succeeded');
  const bound = await core.bindings.bind(systemActor, 'second', { addon: addon.id, name: 'shared', prefix: 'SHARED_' });
  assert.equal((await core.addons.whenDone(bound.operation, 30_000)).status, 'succeeded');
  await until(
    'the first app writes',
    async () => (await askDatabase(platform, 'first', 'create table kept as select 42 as n')).rows !== undefined,
    60_000,
  );
  await until(
    'the second app reads it by its own variable',
    async () =>
      (await askDatabase(platform, 'second', 'select n from kept', 'SHARED_DATABASE_URL')).rows?.[0]?.n === 42,
    60_000,
  );

  await t.test('no other address of the machine leads to it', async () => {
    const others = Object.values(networkInterfaces())
      .flatMap((addresses) => addresses ?? [])
      .filter(({ family, internal }) => family === 'IPv4' && !internal);
    for (const { address } of others) assert.equal(await isOpen(address, platform.port + 32), false, address);
    assert.equal(await isOpen('127.0.0.1', platform.port + 32), true);
  });

  const [server] = await processesWith(clusterOf(dataFolder));
  await t.test('the platform killed, it goes on, and the next start takes it over', async (inner) => {
    await close();
    process.kill(platform.upPid, 'SIGKILL');
    await platform.stop();
    assert.deepEqual(await processesWith(clusterOf(dataFolder)), [server]);
    const again = await startPlatform(inner, { dataFolder, port: platform.port });
    await until('the app reads again', () => readsBack(again, 'first'), 60_000);
    assert.deepEqual(await processesWith(clusterOf(dataFolder)), [server], 'the same server');
    await again.stop('SIGINT');
    await untilNothingRemains(dataFolder);
    assert.deepEqual(await processesWith(clusterOf(dataFolder)), []);
  });

  await t.test('a later start brings it back with what it holds', async (inner) => {
    const again = await startPlatform(inner, { dataFolder, port: platform.port });
    await until('the app reads again', () => readsBack(again, 'first'), 60_000);
    const [pid] = await processesWith(clusterOf(dataFolder));
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    inner.diagnostic(`add-on server: ${/VmRSS:\s+(.*)/.exec(status)?.[1]}`);
    await again.stop('SIGINT');
    await untilNothingRemains(dataFolder);
  });
});
