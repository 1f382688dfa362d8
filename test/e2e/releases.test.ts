// test-timeout: 240
/** The life of releases, config, dynos and builds, under a light load where no request may be lost. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { ClientError } from '../../src/client/client.ts';
import { untilLogged } from '../support/app-log.ts';
import {
  buildLog,
  createApp,
  deploy,
  startBuild,
  untilRunning,
  type WireBuild,
  type WireDyno,
  type WireRelease,
} from '../support/deploy.ts';
import { startLoad } from '../support/load.ts';
import { startPlatform } from '../support/platform.ts';
import { processesWith, runningOf } from '../support/processes.ts';
import { ask } from '../support/request.ts';
import { greetingApp, waitingBuild } from '../support/source.ts';
import { until } from '../support/until.ts';

const LOAD_PER_SECOND = 40;
const PARALLEL_BUILDS = 5;

const marker = (): string => `marker-${randomBytes(6).toString('hex')}`;
const status = (wanted: number) => (error: unknown) => error instanceof ClientError && error.status === wanted;

test('the life of an app', async (t) => {
  const platform = await startPlatform(t);
  const { akkeris } = platform;
  const own = marker();
  const path = await createApp(platform, 'alive');
  const served = async (): Promise<string> => (await ask(platform, 'alive')).body;
  await akkeris.patch(`${path}/config-vars`, { GREETING: 'one' });
  const first = await deploy(platform, path, greetingApp('v1', own));
  assert.equal(await served(), 'v1 one');

  /** Runs work under load and demands that every request was answered. */
  async function underLoad(work: () => Promise<void>): Promise<void> {
    const load = startLoad(platform, 'alive', LOAD_PER_SECOND, null);
    try {
      await work();
    } finally {
      const { failures } = await load.stop();
      assert.deepEqual(failures, []);
    }
  }

  await t.test('a release that fails leaves the old one serving and says why', () =>
    underLoad(async () => {
      const broken = { ...greetingApp('v2', own), 'server.js': "console.error('no such luck'); process.exit(3);" };
      const { release } = await deploy(platform, path, broken);
      assert.equal(release.status, 'failed');
      assert.equal(await served(), 'v1 one');
      await untilLogged(platform, path, /Release v\d+ failed: web: crashed: exited with status 3/);
      await untilLogged(platform, path, /no such luck$/);
      await untilRunning(platform, path, 'web', 1);
    }),
  );

  await t.test('a change of config rolls without a lost request', () =>
    underLoad(async () => {
      await akkeris.patch(`${path}/config-vars`, { GREETING: 'two' });
      await until('the new config is served', async () => (await served()) === 'v1 two');
      await untilRunning(platform, path, 'web', 1);
    }),
  );

  await t.test('a rollback brings back the content and the config of its release', () =>
    underLoad(async () => {
      await deploy(platform, path, greetingApp('v3', own));
      assert.equal(await served(), 'v3 two');
      const { id } = await akkeris.post<WireRelease>(`${path}/releases`, { release: first.release.id });
      await until('the rollback is through', async () => {
        const releases = await akkeris.get<readonly WireRelease[]>(`${path}/releases`);
        return releases.find((release) => release.id === id)?.status === 'succeeded';
      });
      assert.equal(await served(), 'v1 one');
      // The snapshot serves; what the owner set stays set, and the next deploy uses it.
      assert.equal((await akkeris.get<{ GREETING: string }>(`${path}/config-vars`)).GREETING, 'two');
    }),
  );

  await t.test('maintenance gives a page of its own, and ends', async () => {
    await akkeris.patch(path, { maintenance: true });
    const page = await until('the page is there', async () => {
      const answer = await ask(platform, 'alive');
      return answer.status === 503 ? answer : null;
    });
    assert.match(page.body, /maintenance/i);
    await akkeris.patch(path, { maintenance: false });
    await until('it serves again', async () => (await ask(platform, 'alive')).status === 200);
  });

  await t.test('scaled to zero it stops, and comes back', async () => {
    await akkeris.patch(`${path}/formation`, [{ type: 'web', quantity: 0 }]);
    await untilRunning(platform, path, 'web', 0);
    await until('its process is gone', async () => (await processesWith(own)).length === 0);
    assert.equal((await ask(platform, 'alive')).status, 503);
    await akkeris.patch(`${path}/formation`, [{ type: 'web', quantity: 2 }]);
    await untilRunning(platform, path, 'web', 2);
    assert.equal(await served(), 'v1 one');
  });

  await t.test('restarting one dyno replaces that one', () =>
    underLoad(async () => {
      const before = await untilRunning(platform, path, 'web', 2);
      const [gone, kept] = before;
      await akkeris.delete(`${path}/dynos/web.${gone?.name}`);
      await until('another runs in its place', async () => {
        const names = (await akkeris.get<readonly WireDyno[]>(`${path}/dynos`)).map((dyno) => dyno.name);
        return names.length === 2 && !names.includes(gone?.name ?? '');
      });
      const after = await untilRunning(platform, path, 'web', 2);
      assert.ok(
        after.some((dyno) => dyno.name === kept?.name),
        'the other one stays',
      );
    }),
  );

  await t.test('the same source is built once', async () => {
    const { build } = await deploy(platform, path, greetingApp('v3', own));
    assert.ok((await buildLog(platform, path, build.id)).some((line) => /used again/.test(line)));
    assert.equal(await served(), 'v3 two');
  });

  await t.test('what is not there, or makes no sense, is refused', async () => {
    const nobody = '00000000-0000-4000-8000-000000000000';
    await assert.rejects(akkeris.patch(`${path}/formation`, [{ type: 'ghost', quantity: 1 }]), status(404));
    await assert.rejects(akkeris.patch(`${path}/formation`, [{ type: 'web', quantity: 33 }]), status(422));
    await assert.rejects(akkeris.patch(`${path}/formation`, [{ type: 'web', size: 'huge' }]), status(422));
    await assert.rejects(akkeris.delete(`${path}/dynos/web.1234567890-abcde`), status(404));
    await assert.rejects(akkeris.post(`${path}/releases`, { release: nobody }), status(404));
    await assert.rejects(akkeris.post(`${path}/releases`, { slug: nobody }), status(409));
    await assert.rejects(akkeris.get('/apps/ghost-default'), status(404));
    await assert.rejects(akkeris.post('/apps', { name: 'alive', space: 'default', org: 'main' }), status(409));
  });

  await t.test('a cancelled build leaves no process', async () => {
    const mark = marker();
    const { id } = await startBuild(platform, path, waitingBuild(mark));
    await until('the build runs', async () => (await processesWith(mark)).length > 0);
    await akkeris.call('DELETE', `${path}/builds/${id}`);
    await until('its processes are gone', async () => (await processesWith(mark)).length === 0);
    await until('it counts as ended', async () => {
      return (await akkeris.get<WireBuild>(`${path}/builds/${id}`)).status === 'failed';
    });
    assert.equal(await served(), 'v3 two');
  });

  await t.test(`of ${PARALLEL_BUILDS} builds two run at once`, async () => {
    const marks = Array.from({ length: PARALLEL_BUILDS }, marker);
    const builds = await Promise.all(marks.map((mark) => startBuild(platform, path, waitingBuild(mark))));
    let left = [...builds];
    while (left.length > 0) {
      const expected = Math.min(2, left.length);
      const running = await until(`${expected} of ${left.length} run`, async () => {
        const now = await runningOf(marks);
        assert.ok(now.length <= 2, `${now.length} run at once`);
        return now.length === expected ? now : null;
      });
      const next = left.find(({ id }) => running.includes(marks[builds.findIndex((build) => build.id === id)] ?? ''));
      assert.ok(next);
      await akkeris.call('DELETE', `${path}/builds/${next.id}`);
      left = left.filter(({ id }) => id !== next.id);
    }
    await until('none runs', async () => (await runningOf(marks)).length === 0);
  });

  await t.test('a deleted app leaves no process, no log and no working copy', async () => {
    const { id } = await akkeris.get<{ id: string }>(path);
    const units = join(platform.dataFolder, 'agent', 'units');
    const logFolder = join(platform.dataFolder, 'logs', 'apps', id);
    assert.ok((await processesWith(own)).length > 0 && existsSync(logFolder) && (await readdir(units)).length > 0);
    await akkeris.delete(path);
    await until('its processes are gone', async () => (await processesWith(own)).length === 0);
    await until('its log is gone', () => !existsSync(logFolder));
    await until('its working copies are gone', async () => (await readdir(units)).length === 0);
    await assert.rejects(akkeris.get(path), status(404));
    await until('the router knows it no more', async () => (await ask(platform, 'alive')).status === 404);
  });
});
