// test-timeout: 240
/** `npm start`: first and second start, Ctrl-C, a second one beside it, and a start after kill -9. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Client } from '../../src/client/client.ts';
import { freeBase } from '../support/platform.ts';
import { processesWith } from '../support/processes.ts';
import { untilNothingRemains } from '../support/remains.ts';
import { ask } from '../support/request.ts';
import { archiveUri, versionedApp } from '../support/source.ts';
import { startCommand } from '../support/start-command.ts';
import { until } from '../support/until.ts';

const UP = 'Berth is up.';
const SAMPLE = '/apps/hello-default';

test('npm start', async (t) => {
  const dataFolder = await mkdtemp(join(tmpdir(), 'berth-start-'));
  t.after(() => rm(dataFolder, { recursive: true, force: true }));
  const port = await freeBase();
  const router = { routerPort: port + 80, hostOf: (handle: string) => `${handle}.berth.localhost` };
  const client = async (): Promise<Client> => {
    const { token } = JSON.parse(await readFile(join(dataFolder, 'admin.json'), 'utf8')) as { token: string };
    return new Client({ baseUrl: `http://127.0.0.1:${port + 2}`, token });
  };
  const sample = async (): Promise<{ id: string; builds: number }> => {
    const { id } = await (await client()).get<{ id: string }>(SAMPLE);
    return { id, builds: (await (await client()).get<readonly unknown[]>(`${SAMPLE}/builds`)).length };
  };
  const gone = (): Promise<void> => untilNothingRemains(dataFolder);
  let first = { id: '', builds: 0 };

  await t.test('starts, deploys the sample, says where all is, and Ctrl-C ends everything', async (inner) => {
    const command = startCommand(inner, dataFolder, port);
    await command.untilSays(UP);
    const said = command.output();
    assert.ok(said.includes(`http://hello.berth.localhost:${port + 80}`), said);
    assert.ok(said.includes(`http://127.0.0.1:${port}`), said);
    assert.ok(said.includes(join(dataFolder, 'admin.json')), said);
    const { token, password } = JSON.parse(await readFile(join(dataFolder, 'admin.json'), 'utf8'));
    assert.ok(!said.includes(token) && !said.includes(password), 'credentials are not printed');
    const { status, body } = await ask(router, 'hello');
    assert.equal(status, 200);
    assert.match(body, /Hello from Berth/);
    first = await sample();
    assert.equal(await command.interrupt(), 0, command.output());
    await gone();
  });

  await t.test('a second start finds all again, and builds nothing', async (inner) => {
    const command = startCommand(inner, dataFolder, port);
    await command.untilSays(UP);
    assert.equal((await ask(router, 'hello')).status, 200);
    assert.deepEqual(await sample(), first);

    await inner.test('beside it a third is refused, and does no harm', async (third) => {
      const other = startCommand(third, dataFolder, port);
      assert.equal(await other.ended, 1);
      assert.match(other.output(), /berth already runs on .*stop it first/);
      assert.equal((await ask(router, 'hello')).status, 200);
    });
    assert.equal(await command.interrupt(), 0, command.output());
    await gone();
  });

  await t.test('--no-sample leaves the sample out', async (inner) => {
    const other = await mkdtemp(join(tmpdir(), 'berth-start-'));
    inner.after(() => rm(other, { recursive: true, force: true }));
    const command = startCommand(inner, other, port, ['--no-sample']);
    await command.untilSays(UP);
    assert.doesNotMatch(command.output(), /sample/);
    assert.equal((await ask(router, 'hello')).status, 404);
    assert.equal(await command.interrupt(), 0);
  });

  await t.test('after kill -9 a start takes over what runs, and doubles nothing', async (inner) => {
    const marker = `marker-${randomBytes(6).toString('hex')}`;
    const killed = startCommand(inner, dataFolder, port, ['--no-sample']);
    await killed.untilSays(UP);
    const api = await client();
    await api.post('/apps', { name: 'lasting', space: 'default', org: 'main' });
    const { id } = await api.post<{ id: string }>('/apps/lasting-default/builds', {
      url: await archiveUri(versionedApp('v1', marker)),
      checksum: '',
    });
    await until('the app serves', async () => (await ask(router, 'lasting')).status === 200);
    const before = await processesWith(marker);
    const up = Number(await readFile(join(dataFolder, 'up.pid'), 'utf8'));
    process.kill(up, 'SIGKILL');
    await killed.ended;
    assert.deepEqual(await processesWith(marker), before, 'the app outlives the platform');

    const command = startCommand(inner, dataFolder, port, ['--no-sample']);
    await command.untilSays(UP);
    await until('the app serves again', async () => (await ask(router, 'lasting')).status === 200);
    assert.deepEqual(await processesWith(marker), before, 'the same process serves on');
    const builds = await api.get<readonly { id: string }[]>('/apps/lasting-default/builds');
    assert.deepEqual(
      builds.map((build) => build.id),
      [id],
    );
    assert.equal((await api.get<readonly unknown[]>('/apps/lasting-default/dynos')).length, 1);
    assert.equal(await command.interrupt(), 0, command.output());
    await gone();
  });
});
