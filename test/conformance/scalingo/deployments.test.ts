/** Sources and deployments as the command line client of 2017 makes them, their live stream, and pushes that show as deployments. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { suite, type TestContext, test } from 'node:test';
import { type Machine, machine, missingProgram, objectsSent, sshWith } from '../../git/support/programs.ts';
import { createApp as createAkkerisApp, deploy as deployByAkkeris } from '../../support/deploy.ts';
import { heldBuild, untilHeld } from '../../support/held-build.ts';
import { ask } from '../../support/request.ts';
import { call } from '../../support/served.ts';
import { versionedApp, waitingBuild } from '../../support/source.ts';
import { until } from '../../support/until.ts';
import { archiveOf, listen, livePlatform, type WireDeployment } from './live.ts';

type Frame =
  | { type: 'new'; data: { deployment: WireDeployment } }
  | { type: 'log'; id: string; data: { content: string } }
  | { type: 'status'; id: string; data: { status: string } }
  | { type: 'ping' };

const statusesOf = (frames: readonly Frame[]): readonly string[] =>
  frames.flatMap((frame) => (frame.type === 'status' ? [frame.data.status] : []));
const logOf = (frames: readonly Frame[]): string =>
  frames.map((frame) => (frame.type === 'log' ? frame.data.content : '')).join('');

const missing = await missingProgram('git', 'ssh', 'ssh-keygen');

suite('deployments', () => {
  const live = livePlatform({ BERTH_ALLOW_PRIVATE_SOURCES: 'true', BERTH_BOOT_TIMEOUT: '15' });
  const versionOf = async (app: string): Promise<string> =>
    (JSON.parse((await ask(live.platform(), app)).body) as { version: string }).version;
  const stream = (t: TestContext, app: { links: { deployments_stream: string } }, token = live.platform().token) =>
    listen<Frame>(t, app.links.deployments_stream, { type: 'auth', data: { token } });

  test('an upload has two addresses for one purpose each, and needs no credentials', async () => {
    const { upload_url, download_url, source } = (await live.send('POST', '/sources', {})).json<{
      upload_url: string;
      download_url: string;
      source: unknown;
    }>();
    assert.deepEqual(source, { upload_url, download_url }, 'with a root and without');
    assert.ok(upload_url.startsWith(live.url()), 'on the address that was asked');
    const bytes = await archiveOf(versionedApp('1', 'x'));
    const put = (url: string, body: Buffer | string): Promise<Response> =>
      fetch(url, { method: 'PUT', body: typeof body === 'string' ? body : new Uint8Array(body) });
    assert.equal((await fetch(download_url)).status, 404, 'nothing is there yet');
    assert.equal((await put(download_url, bytes)).status, 404, 'an address to read is none to write');
    assert.equal((await put(`${upload_url}x`, bytes)).status, 404);
    assert.equal((await put(upload_url.replace('upload', 'download'), bytes)).status, 404);
    assert.equal((await put(upload_url, '')).status, 422, 'an empty one is no source');
    assert.equal((await put(upload_url, bytes)).status, 200);
    assert.equal((await put(upload_url, 'something else')).status, 422, 'it is written once');
    assert.equal((await fetch(upload_url)).status, 404);
    assert.equal((await fetch(upload_url.replace('upload', 'download'))).status, 404, 'tokens have one purpose');
    const back = await fetch(download_url);
    assert.deepEqual([back.status, Buffer.from(await back.arrayBuffer()).equals(bytes)], [200, true]);
  });

  test('the flow of a deploy: statuses in their order, the stream, the output', async (t) => {
    const app = await live.createApp('deploy-flow');
    const { frames, socket } = stream(t, app);
    await until('the stream is open', () => socket.readyState === socket.OPEN);
    const marker = `flow-${randomBytes(6).toString('hex')}`;
    const made = await live.startDeployment('deploy-flow', heldBuild(versionedApp('1', 'flow'), marker));
    assert.deepEqual([made.status, made.git_ref, made.finished_at], ['building', null, null]);
    assert.equal(made.pusher.username, 'admin');
    assert.match(made.pusher.id, /^[0-9a-f]{24}$/);
    assert.match(made.pusher.email, /@/);
    assert.equal(made.links.output, `${live.url()}/v1/apps/deploy-flow/deployments/${made.id}/output`);
    // The stream may be open for a while before it follows anything.
    const goOn = await untilHeld(marker);
    await until('the stream tells of it', () => statusesOf(frames).length > 0);
    goOn();
    await until('the stream tells the end', () => statusesOf(frames).at(-1) === 'success', 90_000);
    assert.deepEqual(statusesOf(frames), ['building', 'pushing', 'starting', 'success']);
    const [first] = frames;
    assert.ok(first?.type === 'new', 'the deployment comes first');
    assert.deepEqual([first.data.deployment.id, first.data.deployment.pusher.username], [made.id, 'admin']);
    assert.equal(await versionOf('deploy-flow'), '1', 'it serves when it is told');

    const done = await live.deploymentOf('deploy-flow', made.id);
    assert.equal(done.status, 'success');
    assert.ok(done.finished_at !== null && Number.isInteger(done.duration));
    const output = await live.send('GET', `${made.links.output}?`);
    assert.match(output.headers.get('content-type') ?? '', /^text\/plain/);
    assert.equal(output.text, logOf(frames), 'what was told live is what is kept');
    assert.match(output.text, /^-----> Build 1 of deploy-flow\n-----> Node\.js app detected\n/);
    assert.match(output.text, /\n-----> v1 of deploy-flow runs\n$/);
  });

  test('who comes late is told all that was said, and then goes on live', async (t) => {
    const app = await live.createApp('deploy-late');
    const { id } = await live.startDeployment('deploy-late', waitingBuild('late'), 'v7');
    const early = stream(t, app);
    await until('the build says that it waits', () => /waiting/.test(logOf(early.frames)), 60_000);
    const late = stream(t, app);
    await until(
      'the late one knows as much',
      () => /waiting/.test(logOf(late.frames)) && statusesOf(late.frames).length > 0,
    );
    const kinds = late.frames.map(({ type }) => type);
    assert.deepEqual([kinds[0], kinds.at(-1)], ['new', 'status'], 'new, the log so far, where it is');
    assert.deepEqual(statusesOf(late.frames), ['building']);
    assert.equal(logOf(late.frames), logOf(early.frames));

    const aborted = await live.send('POST', `/apps/deploy-late/deployments/${id}/abort`);
    assert.equal(aborted.json<{ deployment: WireDeployment }>().deployment.status, 'aborted');
    for (const { frames } of [early, late]) {
      await until('both hear of the end', () => statusesOf(frames).at(-1) === 'aborted');
      assert.match(logOf(frames), /The build was cancelled/);
    }
    assert.equal((await live.send('POST', `/apps/deploy-late/deployments/${id}/abort`)).status, 422);

    const again = stream(t, app);
    await until('one that has just ended is told too', () => statusesOf(again.frames).at(-1) === 'aborted');
    assert.equal(again.frames[0]?.type, 'new');
    const next = await live.startDeployment('deploy-late', versionedApp('2', 'late'));
    await until('and the one after it', () => statusesOf(again.frames).at(-1) === 'success', 90_000);
    assert.deepEqual(
      again.frames.flatMap((frame) => (frame.type === 'new' ? [frame.data.deployment.id] : [])),
      [id, next.id],
    );
  });

  test('the stream is for those who may see the app', async (t) => {
    const app = await live.createApp('deploy-closed');
    const stranger = await live.send('POST', '/users', {
      user: { email: 'stranger@example.com', password: 'a long enough password' },
    });
    assert.equal(stranger.status, 201, stranger.text);
    const { authentication_token: token } = (
      await call(live.url(), 'POST', '/v1/users/sign_in', {
        body: { user: { login: 'stranger@example.com', password: 'a long enough password' } },
      })
    ).json<{ authentication_token: string }>();
    const there = app.links.deployments_stream;
    const sockets = [
      stream(t, app, 'no such token'),
      stream(t, app, token),
      stream(t, { links: { deployments_stream: there.replace('deploy-closed', 'no-such-app') } }),
      listen<Frame>(t, there, { type: 'hello' }),
      listen<Frame>(t, there, { type: 'auth', data: {} }),
    ];
    for (const socket of sockets) {
      await until('it is closed', () => socket.closed() !== null);
      assert.deepEqual([socket.closed(), socket.frames], [1008, []]);
    }
    for (const path of ['', '/x', '/x/output'])
      assert.equal((await live.as(token)('GET', `/apps/deploy-closed/deployments${path}`)).status, 404);
  });

  test('failures say so: of the build, of an app that crashes, of one that does not listen', async () => {
    await live.createApp('deploy-fails');
    const files = versionedApp('1', 'fails');
    const cases: readonly (readonly [Record<string, string>, string, RegExp])[] = [
      [{ 'notes.txt': 'nothing to run' }, 'build-error', / ! {5}/],
      [
        { ...files, 'server.js': "console.log('so long'); process.exit(3);" },
        'crashed-error',
        / ! {5}web: crashed: exited with status 3\n[\s\S]*so long/,
      ],
      [{ ...files, 'server.js': 'setInterval(() => {}, 1000);' }, 'timeout-error', / ! {5}web: did not become healthy/],
    ];
    for (const [source, status, words] of cases) {
      const { id } = await live.startDeployment('deploy-fails', source);
      const done = await live.ended('deploy-fails', id);
      assert.equal(done.status, status);
      assert.match(await live.outputOf(done), words);
      assert.notEqual(done.finished_at, null);
    }
  });

  test('a list of pages, newest first; other addresses are fetched; a cache is forgotten', async () => {
    await live.createApp('deploy-pages');
    const bytes = await archiveOf(versionedApp('9', 'fetched'), 'repository-abc123');
    const elsewhere = createServer((_request, response) => response.end(bytes));
    await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve));
    try {
      const { port } = elsewhere.address() as AddressInfo;
      const ids: string[] = [];
      for (const ref of ['one', 'two', 'three']) {
        const body = { deployment: { git_ref: ref, source_url: `http://127.0.0.1:${port}/archive.tar.gz` } };
        const answer = await live.send('POST', '/apps/deploy-pages/deployments', body);
        assert.equal(answer.status, 201, answer.text);
        const { id } = answer.json<{ deployment: WireDeployment }>().deployment;
        assert.equal((await live.ended('deploy-pages', id)).status, 'success');
        ids.unshift(id);
      }
      assert.equal(await versionOf('deploy-pages'), '9');
      const page = async (query: string) =>
        (await live.send('GET', `/apps/deploy-pages/deployments${query}`)).json<{
          deployments: WireDeployment[];
          meta: { pagination: Record<string, number | null>; total_count: number };
        }>();
      const all = await page('?');
      assert.deepEqual(
        all.deployments.map(({ id }) => id),
        ids,
      );
      assert.deepEqual(
        all.deployments.map(({ git_ref }) => git_ref),
        ['three', 'two', 'one'],
      );
      const second = await page('?page=2&per_page=2');
      assert.deepEqual(
        second.deployments.map(({ id }) => id),
        ids.slice(2),
      );
      assert.deepEqual(second.meta.pagination, {
        current_page: 2,
        prev_page: 1,
        next_page: null,
        total_pages: 2,
        total_count: 3,
      });
    } finally {
      elsewhere.close();
    }
    assert.equal((await live.send('DELETE', '/apps/deploy-pages/caches/deployment')).status, 204);
    for (const [deployment, field] of [
      [undefined, 'deployment'],
      [{ git_ref: 'x' }, 'source_url'],
      [{ source_url: 'file:///etc/passwd' }, 'source_url'],
      [{ source_url: 'upload:00000000-0000-4000-8000-000000000000' }, 'source_url'],
      [{ source_url: 'http://a.test/x.tgz', git_ref: 'a\nb' }, 'git_ref'],
    ] as const) {
      const refused = await live.send('POST', '/apps/deploy-pages/deployments', { deployment });
      assert.equal(refused.status, 422, refused.text);
      assert.deepEqual(Object.keys(refused.json<{ errors: object }>().errors), [field]);
    }
    const unknown = await live.send('GET', '/apps/deploy-pages/deployments/stream');
    assert.deepEqual([unknown.status, unknown.json()], [404, { resource: 'deployment', error: 'not found' }]);
  });

  test('what another API deploys shows too, once it is released', async () => {
    const path = await createAkkerisApp(live.platform(), 'elsewhere');
    const { build } = await deployByAkkeris(live.platform(), path, versionedApp('1', 'elsewhere'));
    const { deployments } = (await live.send('GET', '/apps/elsewhere/deployments')).json<{
      deployments: WireDeployment[];
    }>();
    assert.deepEqual(
      deployments.map(({ id, status, pusher }) => [id, status, pusher.username]),
      [[build.id, 'success', 'admin']],
    );
  });

  suite('git push', { skip: missing === null ? false : `${missing} is not installed` }, () => {
    /** What git printed of the server, as the server said it: git fills lines with blanks to write over others. */
    const remoteLines = (stderr: string): string =>
      [...stderr.matchAll(/^remote: (.*?) *$/gm)].map(([, line]) => `${line}\n`).join('');

    for (const door of ['ssh', 'http'] as const)
      test(`over ${door}: twice, the second time only what is new, each a deployment with the output that was seen`, async (t) => {
        const name = `pushed-${door}`;
        const app = await live.createApp(name);
        const mine: Machine = await machine(t);
        const key = await mine.key('ed25519');
        const added = await live.send('POST', '/account/keys', { key: { name, content: key.publicLine } });
        assert.equal(added.status, 201, added.text);
        const { platform } = live;
        const address =
          door === 'ssh' ? app.git_url : `http://x:${platform().token}@127.0.0.1:${platform().port}/git/${name}.git`;
        const environment = { GIT_SSH_COMMAND: sshWith(mine.folder, key.path).join(' ') };
        const repository = await mine.repository(name);
        for (let step = 1; step < 10; step += 1) await repository.commit(`step ${step}`, { 'notes.txt': `${step}\n` });
        const pushed: string[] = [];
        for (const [version, objects] of [
          ['1', 32],
          ['2', 3],
        ] as const) {
          pushed.unshift(await repository.commit(`version ${version}`, versionedApp(version, name)));
          const push = await repository.attempt(['push', '--progress', address, 'main:master'], environment);
          assert.equal(push.code, 0, push.stderr);
          assert.equal(objectsSent(push.stderr), objects, push.stderr);
          assert.equal(await versionOf(name), version);
          const { deployments } = (await live.send('GET', `/apps/${name}/deployments`)).json<{
            deployments: WireDeployment[];
          }>();
          assert.deepEqual(
            deployments.map(({ git_ref, status, pusher }) => [git_ref, status, pusher.username]),
            pushed.map((commit) => [commit, 'success', 'admin']),
          );
          const [newest] = deployments;
          assert.ok(newest);
          assert.equal(await live.outputOf(newest), remoteLines(push.stderr));
        }
        await repository.commit('broken', { 'package.json': '{' });
        const refused = await repository.attempt(['push', address, 'main:master'], environment);
        assert.notEqual(refused.code, 0);
        const { deployments } = (await live.send('GET', `/apps/${name}/deployments?per_page=1`)).json<{
          deployments: WireDeployment[];
        }>();
        assert.equal(deployments[0]?.status, 'build-error');
        assert.equal(deployments[0] && (await live.outputOf(deployments[0])), remoteLines(refused.stderr));
      });
  });
});
