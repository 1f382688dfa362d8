/** The main path on a whole platform: real processes, a real router. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createApp, deploy, releaseOf, startBuild, type WireDyno, type WireRelease } from '../../support/deploy.ts';
import { startPlatform } from '../../support/platform.ts';
import { ask } from '../../support/request.ts';
import { until } from '../../support/until.ts';

const server = (word: string): Readonly<Record<string, string>> => ({
  Procfile: 'web: node server.js\nworker: node worker.js\n',
  'package.json': '{"name":"flow","private":true}',
  'server.js': `require('http').createServer((request, response) => {
  console.log('asked for ' + request.url);
  response.end(JSON.stringify({ word: ${JSON.stringify(word)}, foo: process.env.FOO, space: process.env.AKKERIS_SPACE }));
}).listen(process.env.PORT);
process.on('SIGTERM', () => process.exit(0));
`,
  'worker.js': `setInterval(() => console.log('working'), 100);\n`,
});

test('an app from its creation to its end', async (t) => {
  const platform = await startPlatform(t);
  const api = platform.akkeris;
  const path = await createApp(platform, 'flow');
  const answer = async (): Promise<Record<string, string>> => JSON.parse((await ask(platform, 'flow')).body);
  const dynos = (): Promise<readonly WireDyno[]> => api.get(`${path}/dynos`);
  const running = (type: string, count: number): Promise<unknown> =>
    until(`${count} ${type} run`, async () => {
      const found = (await dynos()).filter((dyno) => dyno.type === type && dyno.state === 'running');
      return found.length === count && (await dynos()).filter((dyno) => dyno.type === type).length === count;
    });

  const first = await deploy(platform, path, server('one'));
  assert.deepEqual([first.release.status, first.release.version], ['succeeded', 1]);
  assert.deepEqual(await answer(), { word: 'one', space: 'default' });
  const output = await api.get<{ lines: string[] }>(`${path}/builds/${first.build.id}/result`);
  assert.equal(output.lines.at(-1), 'Finished: SUCCESS');

  await t.test('formation: more of web, and a worker by the command of the build', async () => {
    await api.patch(`${path}/formation/web`, { quantity: 2 });
    await api.post(`${path}/formation`, { type: 'worker', quantity: 1 });
    await running('web', 2);
    await running('worker', 1);
    const [worker] = (await dynos()).filter(({ type }) => type === 'worker');
    const byName = await api.get<WireDyno>(`${path}/dynos/worker.${worker?.name}`);
    assert.equal(byName.id, worker?.id);
  });

  await t.test('config: a running app gets it without a release of its own', async () => {
    const before = new Set((await dynos()).map(({ name }) => name));
    await api.patch(`${path}/config-vars`, { FOO: 'bar\n"baz"' });
    await until('the app has it', async () => (await answer()).foo === 'bar\n"baz"');
    await until('all dynos are new', async () => {
      const now = await dynos();
      return now.length === before.size && now.every(({ name, state }) => state === 'running' && !before.has(name));
    });
    assert.equal((await api.get<readonly WireRelease[]>(`${path}/releases`)).length, 1);
  });

  await t.test('a dyno is restarted by its name', async () => {
    await running('worker', 1);
    const [before] = (await dynos()).filter(({ type }) => type === 'worker');
    await api.delete(`${path}/dynos/worker.${before?.name}`);
    await until('another one runs', async () =>
      (await dynos()).some(
        ({ type, name, state }) => type === 'worker' && name !== before?.name && state === 'running',
      ),
    );
  });

  await t.test('a dyno that is killed comes back', async () => {
    await running('worker', 1);
    const [before] = (await dynos()).filter(({ type }) => type === 'worker');
    await api.post(`${path}/dynos/worker.${before?.name}/actions/attach`, { command: ['sh', '-c', 'kill -9 -1'] });
    await until('another one runs', async () =>
      (await dynos()).some(
        ({ type, name, state }) => type === 'worker' && name !== before?.name && state === 'running',
      ),
    );
  });

  await t.test('logs: the app’s, the router’s and the platform’s, then live', async () => {
    await ask(platform, 'flow', '/for-the-log');
    const session = (tail: boolean): Promise<{ logplex_url: string }> =>
      api.post(`${path}/log-sessions`, { lines: 250, tail });
    const stopped = async (): Promise<string> => (await fetch((await session(false)).logplex_url)).text();
    const line = /Z flow-default app\[web\.\d{10}-\w{5}\]: asked for \/for-the-log/;
    const log = await until('the lines are there', async () => {
      const text = await stopped();
      return line.test(text) && / akkeris\/router: .*path=\/for-the-log/.test(text) ? text : null;
    });
    assert.ok(log.endsWith('\n'));
    const gone = new AbortController();
    const live = await fetch((await session(true)).logplex_url, { signal: gone.signal });
    const reader = live.body?.pipeThrough(new TextDecoderStream()).getReader();
    await ask(platform, 'flow', '/live');
    let seen = '';
    while (!seen.includes('asked for /live')) seen += (await reader?.read())?.value ?? '';
    gone.abort();
  });

  await t.test('a second build is released, and rolled back', async () => {
    const second = await deploy(platform, path, server('two'));
    assert.deepEqual([second.release.status, second.release.version], ['succeeded', 2]);
    await until('the second one serves', async () => (await answer()).word === 'two');
    const back = await api.post<WireRelease>(`${path}/releases`, { release: first.release.id });
    assert.equal(back.version, 3);
    await until('the first one serves again', async () => (await answer()).word === 'one');
    await until('the rollback has succeeded', async () => {
      const release = await api.get<WireRelease & { current: boolean }>(`${path}/releases/${back.id}`);
      return release.status === 'succeeded' && release.current;
    });
  });

  await t.test('a build that fails leaves what serves', async () => {
    const { id } = await startBuild(platform, path, { 'notes.txt': 'nothing that could be run' });
    await until('the build has failed', async () => {
      const build = await api.get<{ status: string }>(`${path}/builds/${id}`);
      return build.status === 'failed';
    });
    const { lines } = await api.get<{ lines: string[] }>(`${path}/builds/${id}/result`);
    assert.equal(lines.at(-1), 'Finished: FAILURE');
    assert.equal((await answer()).word, 'one');
  });

  await t.test('without auto-release a build waits for its release', async () => {
    await api.patch(`${path}/features/auto-release`, { enabled: false });
    const { id } = await startBuild(platform, path, server('three'));
    await until(
      'it is built',
      async () => (await api.get<{ status: string }>(`${path}/builds/${id}`)).status === 'succeeded',
    );
    const release = await api.post<WireRelease & { description: string }>(`${path}/releases`, { slug: id });
    assert.equal((await releaseOf(platform, path, id)).id, release.id);
    await until('it serves', async () => (await answer()).word === 'three');
  });

  await t.test('maintenance hides it, deleting ends it', async () => {
    await api.patch(path, { maintenance: true });
    await until('the maintenance page is shown', async () => (await ask(platform, 'flow')).status === 503);
    await api.patch(path, { maintenance: false });
    await until('it serves again', async () => (await ask(platform, 'flow')).status === 200);
    assert.deepEqual(Object.keys(await api.delete<object>(path)), ['id', 'name', 'org', 'result']);
    await assert.rejects(api.get(path), /404/);
    await until('the router knows it no more', async () => (await ask(platform, 'flow')).status === 404);
  });
});
