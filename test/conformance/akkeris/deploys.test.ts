/** Builds, releases, formations over the wire; builds are finished by the test itself. */
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { suite, test } from 'node:test';
import { buildLogStream } from '../../../src/core/builds/build-service.ts';
import { systemClock, systemIds } from '../../../src/lib/clock.ts';
import { call, finishBuild, servedForSuite } from './served.ts';

suite('deploys', () => {
  const served = servedForSuite();
  const { admin, newApp } = served;

  async function newBuild(path: string): Promise<string> {
    const url = `data:base64,${Buffer.from('no archive').toString('base64')}`;
    const answer = await admin('POST', `${path}/builds`, { url, checksum: '', sha: 'abc', version: 'v1' });
    assert.equal(answer.status, 201, answer.text);
    return String(answer.json().id);
  }

  test('formation: every refusal in its words, and what each call leaves', async () => {
    const path = `${await newApp('forms')}/formation`;
    const refused = async (method: string, at: string, body: unknown, status: number, text: string): Promise<void> => {
      const answer = await admin(method, at, body);
      assert.deepEqual([answer.status, answer.text], [status, text]);
    };
    const web = await admin('PATCH', `${path}/web`, [{ type: 'web', quantity: 1, size: 'gp2' }]);
    assert.equal(web.status, 200, web.text);
    assert.deepEqual([web.json().size, web.json().port, web.json().healthcheck], ['gp2', 9000, null]);
    await refused('POST', path, { type: 'web' }, 409, 'The process of type web already exists.');
    const typeText =
      'The type specified was invalid, it cannot contain spaces or special characters (lower case alpha numeric only)';
    await refused('POST', path, { type: 'Not Good', quantity: 1 }, 422, typeText);
    const quantityText = 'The number of instances must be between 0 and 32.';
    for (const quantity of [-1, 33, 1.5, 'x']) await refused('PATCH', `${path}/web`, { quantity }, 422, quantityText);
    const portText = 'The specified port is invalid, it must be a number between 1024 and 65535.';
    for (const port of [80, 70000, 'x']) await refused('PATCH', path, [{ type: 'web', port }], 422, portText);
    await refused('PATCH', `${path}/web`, { size: 'huge' }, 422, 'The payload size was not recognized.');
    const worker = { type: 'worker', quantity: 1, size: 'gp1', command: 'node w.js' };
    const noPort = 'A port was specified for a non-web based application, the port should not be set.';
    await refused('POST', path, { ...worker, port: 5000 }, 422, noPort);
    const noHealth = 'A healthcheck was specified for a non-web based application, the path should not be set.';
    await refused('POST', path, { ...worker, healthcheck: '/x' }, 422, noHealth);
    assert.equal((await admin('POST', path, { ...worker, command: undefined })).status, 422);
    const made = await admin('POST', path, worker);
    assert.deepEqual([made.status, made.json().port], [201, null]);
    assert.deepEqual(made.json<{ app: { name: string } }>().app.name, 'forms-default');
    await refused(
      'PATCH',
      `${path}/worker`,
      { removeHealthcheck: true },
      422,
      'Cannot remove healthcheck on non web based dyno.',
    );
    const scaled = await admin('PATCH', path, [
      { type: 'web', quantity: '2', healthcheck: '/health', port: 5000 },
      { type: 'worker', quantity: 0 },
    ]);
    assert.deepEqual(
      scaled
        .json<{ type: string; quantity: number }[]>()
        .map(({ type, quantity }) => [type, quantity])
        .toSorted(),
      [
        ['web', 2],
        ['worker', 0],
      ],
    );
    assert.equal((await admin('GET', `${path}/web`)).json().healthcheck, '/health');
    assert.equal((await admin('PATCH', `${path}/web`, { removeHealthcheck: true })).json().healthcheck, null);
    assert.equal((await admin('PATCH', `${path}/worker`, { 'remove-command': true })).json().command, null);
    assert.equal((await admin('DELETE', `${path}/worker`)).json<unknown[]>().length, 1);
    assert.equal((await admin('GET', `${path}/worker`)).status, 404);
    const first = `${await newApp('forms2')}/formation`;
    await admin('POST', first, worker);
    const both = (await admin('GET', first)).json<{ type: string; quantity: number }[]>();
    assert.deepEqual(both.map(({ type, quantity }) => [type, quantity]).toSorted(), [
      ['web', 0],
      ['worker', 1],
    ]);
    const live = `${await newApp('forms', 'live')}/formation`;
    assert.equal((await admin('POST', live, { type: 'web', size: 'gp2' })).json().size, 'gp2-prod');
    await admin('PATCH', '/apps/forms-default', { maintenance: true });
    assert.equal((await admin('PATCH', `${path}/web`, { quantity: 3 })).status, 409);
  });

  test('builds: sources, states, output, stopping', async () => {
    const path = await newApp('builds');
    for (const url of [undefined, '', 'ftp://x/y', 'docker://registry/org/image', 'upload:abc', 'file:///etc/passwd'])
      assert.equal((await admin('POST', `${path}/builds`, { url })).status, 422, url);
    const id = await newBuild(path);
    const build = (await admin('GET', `${path}/builds/${id}`)).json();
    const slug = { id, number: 1 };
    assert.deepEqual([build.status, build.slug, build.buildpacks, build.release], ['queued', slug, null, null]);
    assert.equal(build.output_stream_url, `http://akkeris.test${path}/builds/${id}/result`);
    const blob = build.source_blob as Record<string, unknown>;
    assert.deepEqual([blob.url, blob.commit, blob.version, blob.checksum, blob.author], ['', 'abc', 'v1', '', 'admin']);
    assert.equal((await admin('DELETE', `${path}/builds/${id}`)).status, 409);
    await served.get().db.builds.advance(id, ['queued'], { status: 'running' });
    const at = systemClock.now();
    const line = { at, source: 'build', process: '', instance: '', seat: '', text: 'compiling' } as const;
    await served.get().logs.append(buildLogStream(id), [line]);
    const running = (await admin('GET', `${path}/builds/${id}/result`)).json<{
      build: { status: string };
      lines: string[];
    }>();
    assert.deepEqual([running.build.status, running.lines], ['pending', ['compiling']]);
    const stopped = await rawDelete(`${path}/builds/${id}`);
    assert.deepEqual([stopped.status, JSON.parse(stopped.text).status], [205, 'failed']);
    const lines = (await admin('GET', `${path}/builds/${id}/result`)).json<{ lines: string[] }>().lines;
    assert.equal(lines.at(-1), 'Finished: FAILURE');
    assert.equal((await admin('DELETE', `${path}/builds/${id}`)).status, 409);
    const again = await admin('PUT', `${path}/builds/${id}`);
    assert.deepEqual([again.status, again.json().id === id], [201, false]);
    const invalid = await admin('GET', `${path}/builds/auto`);
    assert.deepEqual([invalid.status, invalid.text], [422, 'The specified uuid was invalid.']);
    assert.equal((await admin('GET', `${path}/builds/${systemIds.id()}`)).status, 404);
    const socs = await newApp('builds', 'safe');
    const bare = await call(served.get().url, 'POST', `${socs}/builds`, {
      as: served.get().tokens.admin,
      body: { url: 'data:,x' },
    });
    assert.equal(bare.status, 403);
  });

  /** `fetch` refuses the body of a 205. */
  function rawDelete(path: string): Promise<{ status: number; text: string }> {
    return new Promise((resolve, reject) => {
      const headers = { authorization: `Bearer ${served.get().tokens.admin}` };
      const sent = request(`${served.get().url}${path}`, { method: 'DELETE', headers }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
        response.once('end', () => resolve({ status: response.statusCode ?? 0, text }));
      });
      sent.once('error', reject);
      sent.end();
    });
  }

  test('releases: of a slug, of the latest, back to an older one; slugs outlive their app', async () => {
    const path = await newApp('releases');
    const [one, two] = [await newBuild(path), await newBuild(path)];
    for (const body of [{}, { slug: one, release: one }, { slug: 'nonsense' }])
      assert.equal((await admin('POST', `${path}/releases`, body)).status, 422);
    for (const slug of [one, systemIds.id(), 'latest'])
      assert.equal((await admin('POST', `${path}/releases`, { slug })).status, 409);
    await finishBuild(served.get().db, one);
    const first = (await admin('POST', `${path}/releases`, { slug: one, description: 'v one' })).json();
    assert.deepEqual([first.status, first.version, first.description, first.slug], ['queued', 1, 'v one', { id: one }]);
    await finishBuild(served.get().db, two);
    const second = (await admin('POST', `${path}/releases`, { slug: 'latest' })).json();
    assert.deepEqual([second.version, second.slug], [2, { id: two }]);
    const back = (await admin('POST', `${path}/releases`, { release: first.id })).json();
    assert.deepEqual([back.version, back.slug, back.description], [3, { id: one }, `Rollback to ${first.id}`]);
    await served.get().db.releases.advance(String(back.id), ['pending'], { status: 'succeeded' });
    await admin('PATCH', `${path}/config-vars`, { A: 'b' });
    const all = (await admin('GET', `${path}/releases`)).json<Record<string, unknown>[]>();
    assert.deepEqual(
      all.map(({ version, status, current }) => [version, status, current]),
      [
        [1, 'failed', false],
        [2, 'failed', false],
        [3, 'succeeded', true],
      ],
    );
    assert.equal((await admin('GET', `${path}/releases/${back.id}`)).json().current, true);
    const worker = await admin('POST', `${path}/formation`, { type: 'worker', quantity: 1 });
    assert.equal(worker.status, 201, 'a released build that has a command for the type is enough');
    await admin('DELETE', path);
    assert.equal((await admin('GET', path)).status, 404);
    assert.equal((await admin('GET', `/slugs/${one}`)).json().status, 'succeeded');
  });
});
