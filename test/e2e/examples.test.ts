// test-timeout: 240
/** Every folder of examples/, deployed through the public API: those that serve, and those that show how an app fails. */
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { test } from 'node:test';
import { logLines, untilLogged } from '../support/app-log.ts';
import { createApp, deploy, untilRunning, type WireDyno } from '../support/deploy.ts';
import { startPlatform, type TestPlatform } from '../support/platform.ts';
import { ask } from '../support/request.ts';
import { exampleUri, versionedApp } from '../support/source.ts';
import { until } from '../support/until.ts';

/** Also for what boots beside the others: only what never listens is to run into it. */
const BOOT_TIMEOUT_SECONDS = 25;
const covered = [
  'crash-at-boot',
  'memory-leak',
  'never-listens',
  'node-express',
  'node-hello',
  'python-hello',
  'static-site',
  'web-worker',
];

interface Deployed {
  readonly path: string;
  readonly status: string;
}

async function deployExample(platform: TestPlatform, name: string, config: object | null = null): Promise<Deployed> {
  const path = await createApp(platform, name.replaceAll('-', ''));
  if (config !== null) await platform.akkeris.patch(`${path}/config-vars`, config);
  const { release } = await deploy(platform, path, await exampleUri(name));
  return { path, status: release.status };
}

const timeOf = (line: string): number => Date.parse(line.split(' ')[0] ?? '');

test('every example does what it is there for', async (t) => {
  assert.deepEqual(
    (await readdir(new URL('../../examples', import.meta.url), { withFileTypes: true }))
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name)
      .sort(),
    covered,
    'an example without a test',
  );
  const platform = await startPlatform(t, { environment: { BERTH_BOOT_TIMEOUT: String(BOOT_TIMEOUT_SECONDS) } });
  // What takes its time by design goes on beside the others.
  const silent = deployExample(platform, 'never-listens');
  // Slow enough that its release has succeeded long before its memory is used up.
  const leaking = deployExample(platform, 'memory-leak', { LEAK_MEGABYTES_PER_SECOND: '20' });
  for (const early of [silent, leaking]) early.catch(() => {});

  await t.test('node-hello greets, by its config', async () => {
    const { path, status } = await deployExample(platform, 'node-hello', { GREETING: 'Ahoy' });
    assert.equal(status, 'succeeded');
    const { status: code, body } = await ask(platform, 'nodehello');
    assert.equal(code, 200);
    assert.equal((JSON.parse(body) as { greeting: string }).greeting, 'Ahoy');
    await untilLogged(platform, path, /app\[web\.\S+\]: listening on port \d+$/);
  });

  await t.test('node-express comes with its dependencies', async () => {
    const { status } = await deployExample(platform, 'node-express');
    assert.equal(status, 'succeeded');
    const { body } = await ask(platform, 'nodeexpress');
    assert.deepEqual(JSON.parse(body), { greeting: 'Hello from Express', express: '5.1.0' });
  });

  await t.test('web-worker: the worker works once it is scaled to one', async () => {
    const { path, status } = await deployExample(platform, 'web-worker', { WORKER_INTERVAL_MS: '100' });
    assert.equal(status, 'succeeded');
    assert.equal((await ask(platform, 'webworker')).body, 'web\n');
    await platform.akkeris.post(`${path}/formation`, { type: 'worker', quantity: 1 });
    await untilRunning(platform, path, 'worker', 1);
    await untilLogged(platform, path, /app\[worker\.\S+\]: tick 3$/);
    await platform.akkeris.patch(`${path}/formation`, [{ type: 'worker', quantity: 0 }]);
    await untilRunning(platform, path, 'worker', 0);
    await untilLogged(platform, path, /app\[worker\.\S+\]: worker is done$/);
    await untilRunning(platform, path, 'web', 1);
  });

  await t.test('python-hello greets', async () => {
    const { status } = await deployExample(platform, 'python-hello', { GREETING: 'Hej' });
    assert.equal(status, 'succeeded');
    assert.deepEqual(JSON.parse((await ask(platform, 'pythonhello')).body), { greeting: 'Hej' });
  });

  await t.test('static-site: pages by type, and its own page for what is not there', async () => {
    const { status } = await deployExample(platform, 'static-site');
    assert.equal(status, 'succeeded');
    const [index, css, about, missing] = await Promise.all(
      ['/', '/css/site.css', '/about', '/nothing'].map((path) => ask(platform, 'staticsite', path)),
    );
    assert.equal(index?.headers['content-type'], 'text/html; charset=utf-8');
    assert.equal(css?.headers['content-type'], 'text/css; charset=utf-8');
    assert.equal(about?.status, 200);
    assert.equal(missing?.status, 404);
    assert.match(missing?.body ?? '', /not found/i);
  });

  await t.test('crash-at-boot: the release fails, and the app says why', async () => {
    const { path, status } = await deployExample(platform, 'crash-at-boot');
    assert.equal(status, 'failed');
    await untilLogged(platform, path, /Release v\d+ failed: web: crashed: exited with status 1/);
    await untilLogged(platform, path, /code=H10/);
    await untilLogged(platform, path, /app\[web\.\S+\]: about to crash$/);
    await until('its dyno shows the crash', async () => {
      const dynos = await platform.akkeris.get<readonly WireDyno[]>(`${path}/dynos`);
      return dynos.some((dyno) => dyno.state === 'app-crashed' && /exited with status 1/.test(dyno.additional_info));
    });
    assert.equal((await ask(platform, 'crashatboot')).status, 503);
  });

  await t.test('crash-at-boot over an app that serves: it serves on', async () => {
    const path = await createApp(platform, 'survivor');
    await deploy(platform, path, versionedApp('good', 'survivor-marker'));
    const { release } = await deploy(platform, path, await exampleUri('crash-at-boot'));
    assert.equal(release.status, 'failed');
    assert.equal((JSON.parse((await ask(platform, 'survivor')).body) as { version: string }).version, 'good');
    await untilLogged(platform, path, /Release v\d+ failed: .*; the release before serves on$/);
    await untilRunning(platform, path, 'web', 1);
  });

  await t.test('never-listens: the release fails after the boot timeout', async () => {
    const { path, status } = await silent;
    assert.equal(status, 'failed');
    // At once: it is tried again, and then shown as booting for as long as it may take.
    await until('its dyno shows it', async () => {
      const dynos = await platform.akkeris.get<readonly WireDyno[]>(`${path}/dynos`);
      return dynos.some((dyno) => dyno.state === 'probe-failure');
    });
    await untilLogged(platform, path, /code=H20/);
    const reason = `did not become healthy within ${BOOT_TIMEOUT_SECONDS} s: nothing answered`;
    await untilLogged(platform, path, new RegExp(reason));
  });

  await t.test('memory-leak is killed by its limit, not taken for a crash, and comes back ever later', async () => {
    const { path, status } = await leaking;
    assert.equal(status, 'succeeded');
    const isKill = (count: number) =>
      new RegExp(`code=R15 desc="killed: used more than its 256 MiB.*restarts=${count} `);
    await untilLogged(platform, path, isKill(2), 90_000);
    const lines = await until('it comes back', async () => {
      const found = await logLines(platform, path);
      return found.filter((line) => line.endsWith('listening, and leaking')).length >= 3 ? found : null;
    });
    const second = lines.find((line) => isKill(2).test(line)) ?? '';
    const third = lines.filter((line) => line.endsWith('listening, and leaking'))[2] ?? '';
    assert.ok(timeOf(third) - timeOf(second) >= 1_000, `${second}\n${third}`);
    assert.ok(!lines.some((line) => line.includes('code=H10')), 'an out of memory is told apart from a crash');
  });
});
