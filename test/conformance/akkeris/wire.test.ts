/** Codes, exact texts and shapes over the wire; builds are finished by the test itself. */
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { after, before, suite, test } from 'node:test';
import { buildLogStream } from '../../../src/core/builds/build-service.ts';
import { systemClock, systemIds } from '../../../src/lib/clock.ts';
import { call, finishBuild, PASSWORD, type Served, serveAkkeris } from './served.ts';

const endings: (() => unknown)[] = [];
let served: Served;
suite('over the wire', () => {
  before(async () => {
    served = await serveAkkeris({ after: (work) => void endings.push(work as () => unknown) });
  });
  after(async () => {
    for (const end of endings) await end();
  });

  const admin = (method: string, path: string, body?: unknown) =>
    call(served.url, method, path, { as: `Bearer ${served.tokens.admin}`, body });

  /** Makes an app in the default space; gives its path. */
  async function newApp(name: string, space = 'default'): Promise<string> {
    const answer = await admin('POST', '/apps', { name, space, org: 'main' });
    assert.equal(answer.status, 201, answer.text);
    return `/apps/${name}-${space}`;
  }

  async function newBuild(path: string): Promise<string> {
    const url = `data:base64,${Buffer.from('no archive').toString('base64')}`;
    const answer = await admin('POST', `${path}/builds`, { url, checksum: '', sha: 'abc', version: 'v1' });
    assert.equal(answer.status, 201, answer.text);
    return String(answer.json().id);
  }

  test('credentials: bare, Bearer, Basic; nothing else, and nothing said about why', async () => {
    const { url, tokens } = served;
    const basic = Buffer.from(`anybody:${tokens.admin}`).toString('base64');
    for (const as of [tokens.admin, `Bearer ${tokens.admin}`, `Basic ${basic}`])
      assert.equal((await call(url, 'GET', '/account', { as })).status, 200, as.slice(0, 7));
    for (const as of [undefined, 'Bearer nobody', `Token ${tokens.admin}`, 'Basic !!', 'a.b.c']) {
      const answer = await call(url, 'GET', '/account', as === undefined ? {} : { as });
      assert.deepEqual([answer.status, answer.text], [401, '']);
    }
    const unknown = await call(url, 'GET', '/nothing/here');
    assert.deepEqual([unknown.status, unknown.text], [404, '']);
    assert.equal((await call(url, 'GET', '/octhc')).text, 'overall_status=good');
  });

  test('signing in by password gives a token that works; a wrong one does not', async () => {
    const login = (password: string) =>
      call(served.url, 'POST', '/authorizations', {
        as: `Basic ${Buffer.from(`member:${password}`).toString('base64')}`,
        body: { note: 'x', scopes: ['read:user'] },
      });
    assert.deepEqual([(await login('wrong')).status, (await login('wrong')).text], [401, '']);
    const { token } = (await login(PASSWORD)).json<{ token: string }>();
    const account = await call(served.url, 'GET', '/account', { as: `Bearer ${token}` });
    assert.equal(account.json().email, 'member@apps.test');
  });

  test('a bare token says by headers who is meant and whether access is elevated', async () => {
    const path = await newApp('guarded', 'safe');
    const as = served.tokens.admin;
    assert.equal((await call(served.url, 'DELETE', path, { as })).status, 403);
    const headers = { 'x-username': 'alice', 'x-elevated-access': 'true' };
    const favorite = await call(served.url, 'POST', '/favorites', { as, headers, body: { app: 'guarded-safe' } });
    assert.equal(favorite.status, 201);
    assert.equal((await call(served.url, 'GET', '/favorites', { as, headers })).json<unknown[]>().length, 1);
    assert.equal((await call(served.url, 'GET', '/favorites', { as })).json<unknown[]>().length, 0);
    const forged = await call(served.url, 'DELETE', path, { as: served.tokens.member, headers });
    assert.equal(forged.status, 404);
    assert.deepEqual(Object.keys((await call(served.url, 'DELETE', path, { as, headers })).json()), [
      'id',
      'name',
      'org',
      'result',
    ]);
  });

  test('bodies: JSON whatever the content type, empty is fine, malformed is 400, errors are bare text', async () => {
    const path = await newApp('bodies');
    const as = `Bearer ${served.tokens.admin}`;
    const headers = { 'content-type': 'text/plain' };
    const odd = await call(served.url, 'PATCH', path, { as, headers, body: '{"description":"odd"}' });
    assert.equal(odd.json().description, 'odd');
    assert.equal((await call(served.url, 'PATCH', path, { as, body: '' })).status, 200);
    const malformed = await call(served.url, 'PATCH', path, { as, body: '{"a":' });
    assert.deepEqual([malformed.status, malformed.headers.get('content-type')], [400, 'application/json']);
    assert.equal((await call(served.url, 'PATCH', path, { as, body: '{"__proto__":{"a":1}}' })).status, 400);
    const large = await call(served.url, 'PATCH', path, {
      as,
      body: JSON.stringify({ description: 'x'.repeat(2 ** 20) }),
    });
    assert.equal(large.status, 413);
    const upper = await call(served.url, 'GET', '/APPS/Bodies-Default?simple=X', { as });
    assert.deepEqual([upper.status, upper.headers.get('ratelimit-remaining')], [200, '2400']);
  });

  test('a chunked DELETE without a content type is an ordinary one, and long answers are compressed', async () => {
    const path = await newApp('chunked');
    await admin('PATCH', path, { description: 'x'.repeat(2000) });
    const info = await admin('GET', path);
    assert.equal(info.headers.get('content-encoding'), 'gzip');
    const status = await new Promise<number>((resolve, reject) => {
      const headers = { authorization: served.tokens.admin, 'transfer-encoding': 'chunked' };
      const sent = request(`${served.url}${path}`, { method: 'DELETE', headers });
      sent.once('response', (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      });
      sent.once('error', reject);
      sent.write('{}');
      sent.end();
    });
    assert.equal(status, 200);
  });

  test('apps: the rules, their order and their words', async () => {
    const refused = async (body: unknown, status: number, text?: string): Promise<void> => {
      const answer = await admin('POST', '/apps', body);
      assert.equal(answer.status, status, answer.text);
      if (text !== undefined) assert.equal(answer.text, text);
    };
    const nameText =
      'The application name was invalid or missing, it cannot contain dashes or other special characters.';
    await refused({}, 422, nameText);
    await refused({ name: 'a-b', space: '!' }, 422, nameText);
    await refused({ name: 'ab', org: 'main' }, 422, 'The application space field was not specified');
    await refused({ name: 'ab', space: 'default' }, 422, 'The application org field was not specified');
    await refused({ name: 'ab', space: 'nowhere', org: 'main' }, 404);
    await refused({ name: 'ab', space: 'default', org: 'nobody' }, 404);
    await refused(
      { name: 'abcdefghijklmnopqrstuvwxyz', space: 'default', org: 'main' },
      422,
      'The application name was too long, the app space and name must be less than 24 characters.',
    );
    const made = (
      await admin('POST', '/apps', { name: ' Twice ', space: 'default', org: 'main', labels: 'a, b' })
    ).json();
    assert.deepEqual(
      [made.name, made.key, made.simple_name, made.labels, made.image, made.released_at, made.preview, made.formation],
      ['twice-default', 'twice-default', 'twice', 'a,b', '', null, null, []],
    );
    assert.equal(made.web_url, 'http://twice.apps.test:7780');
    await refused({ name: 'twice', space: 'default', org: 'main' }, 409, 'The requested application already exists.');
    for (const reference of ['twice-default', made.id])
      assert.equal((await admin('GET', `/apps/${reference}`)).status, 200);
    assert.equal((await admin('PATCH', '/apps/twice-default', { name: 'other' })).status, 400);
    assert.equal((await admin('PATCH', '/apps/twice-default', { maintenance: true })).json().maintenance, true);
    const simple = (await admin('GET', '/apps?simple=true')).json<Record<string, unknown>[]>();
    assert.ok(simple.every((app) => !('formation' in app) && 'web_url' in app));
    const names = simple.map((app) => String(app.simple_name));
    assert.deepEqual(names, names.toSorted());
  });

  test('a new app has its features, its port, and what it runs in', async () => {
    const path = await newApp('fresh');
    const features = (await admin('GET', `${path}/features`)).json<{ name: string; enabled: boolean }[]>();
    assert.equal(features.length, 13);
    assert.deepEqual(
      features.flatMap(({ name, enabled }) => (enabled ? [name] : [])),
      ['auto-release', 'http2'],
    );
    assert.deepEqual((await admin('GET', `${path}/config-vars`)).json(), { PORT: '9000' });
    const notes = (await admin('GET', `${path}/config-vars/notes`)).json<Record<string, { type: string }>>();
    assert.equal(notes.AKKERIS_SPACE?.type, 'system');
    assert.equal((await admin('PATCH', `${path}/features/preview`, { enabled: 'yes' })).status, 400);
    assert.equal((await admin('PATCH', `${path}/features/preview`, { enabled: true })).json().enabled, true);
    assert.equal((await admin('PATCH', `${path}/features/nothing`, { enabled: true })).status, 404);
    const deprecated = await admin('PATCH', `${path}/features/http2`, { enabled: false });
    assert.deepEqual([deprecated.status, deprecated.text], [403, 'The specified feature http2 has been deprecated']);
    assert.equal((await admin('GET', `${path}/dynos`)).status, 404);
    assert.deepEqual((await admin('GET', `${path}/builds`)).json(), []);
  });

  test('config vars: set, remove, refuse, note, redact', async () => {
    const path = await newApp('config');
    const odd = 'a "b"\n$c\u{1F600}';
    const set = await admin('PATCH', `${path}/config-vars`, { FOO: 'bar', NUMBER: 1, EMPTY: '', ODD: odd });
    assert.deepEqual(set.json(), { PORT: '9000', EMPTY: '', FOO: 'bar', NUMBER: '1', ODD: odd });
    const malformed = await admin('PATCH', `${path}/config-vars`, { 'A-B': 'x' });
    assert.deepEqual(
      [malformed.status, malformed.text],
      [
        422,
        'The config variable A-B is invalid. Configuration variables must be alpha numeric names but may contain underscores.',
      ],
    );
    for (const change of [{ ABSENT: null }, { PORT: null }, { AKKERIS_SPACE: 'x' }])
      assert.equal((await admin('PATCH', `${path}/config-vars`, change)).status, 409);
    const notes = `${path}/config-vars/notes`;
    const noted = await admin('PATCH', notes, { FOO: { required: true, description: 'why' } });
    assert.deepEqual(noted.json<Record<string, unknown>>().FOO, {
      type: 'user',
      addon: null,
      read_only: false,
      required: true,
      description: 'why',
    });
    assert.equal((await admin('PATCH', notes, { NOPE: { required: true } })).status, 422);
    assert.equal((await admin('PATCH', notes, { PORT: { required: true } })).status, 409);
    const safe = await newApp('config', 'safe');
    const redacted = (await admin('PATCH', `${safe}/config-vars`, { API_KEY: 'k', U: 'pg://u:p@h/d', V: 'v' })).json();
    assert.deepEqual(redacted, { PORT: '9000', API_KEY: '[redacted]', U: 'pg://u:[redacted]@h/d', V: 'v' });
  });

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
    await served.db.builds.advance(id, ['queued'], { status: 'running' });
    const at = systemClock.now();
    const line = { at, source: 'build', process: '', instance: '', text: 'compiling' } as const;
    await served.logs.append(buildLogStream(id), [line]);
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
    const bare = await call(served.url, 'POST', `${socs}/builds`, {
      as: served.tokens.admin,
      body: { url: 'data:,x' },
    });
    assert.equal(bare.status, 403);
  });

  /** `fetch` refuses the body of a 205. */
  function rawDelete(path: string): Promise<{ status: number; text: string }> {
    return new Promise((resolve, reject) => {
      const headers = { authorization: `Bearer ${served.tokens.admin}` };
      const sent = request(`${served.url}${path}`, { method: 'DELETE', headers }, (response) => {
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
    await finishBuild(served.db, one);
    const first = (await admin('POST', `${path}/releases`, { slug: one, description: 'v one' })).json();
    assert.deepEqual([first.status, first.version, first.description, first.slug], ['queued', 1, 'v one', { id: one }]);
    await finishBuild(served.db, two);
    const second = (await admin('POST', `${path}/releases`, { slug: 'latest' })).json();
    assert.deepEqual([second.version, second.slug], [2, { id: two }]);
    const back = (await admin('POST', `${path}/releases`, { release: first.id })).json();
    assert.deepEqual([back.version, back.slug, back.description], [3, { id: one }, `Rollback to ${first.id}`]);
    await served.db.releases.advance(String(back.id), ['pending'], { status: 'succeeded' });
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

  test('log sessions: a URL that needs no credentials, for five minutes, unforgeable', async () => {
    const path = await newApp('logs');
    for (const lines of [0, 251, 'x'])
      assert.equal((await admin('POST', `${path}/log-sessions`, { lines })).status, 422);
    const { id } = (await admin('GET', path)).json();
    const at = systemClock.now();
    const line = { at, source: 'app', process: 'web', instance: 'one', text: 'hello' } as const;
    await served.logs.append(`apps/${id}`, [line]);
    const session = (await admin('POST', `${path}/log-sessions`, { lines: 10 })).json<{ logplex_url: string }>();
    const where = session.logplex_url.replace('http://akkeris.test', '');
    const answer = await call(served.url, 'GET', where);
    assert.match(answer.text, /Z logs-default app\[web\.\d{10}-\w{5}\]: hello\n$/);
    const forged = where.slice(0, -2) + (where.endsWith('00') ? '11' : '00');
    assert.equal((await call(served.url, 'GET', forged)).status, 404);
    const tail = (await admin('POST', `${path}/log-sessions`, { lines: 1, tail: true })).json<{
      logplex_url: string;
    }>();
    const gone = new AbortController();
    const live = await fetch(tail.logplex_url.replace('http://akkeris.test', served.url), { signal: gone.signal });
    const reader = live.body?.pipeThrough(new TextDecoderStream()).getReader();
    assert.match((await reader?.read())?.value ?? '', /hello/);
    await served.logs.append(`apps/${id}`, [{ ...line, text: 'later' }]);
    assert.match((await reader?.read())?.value ?? '', /later/);
    gone.abort();
  });

  test('spaces, organizations, regions, stacks, sizes', async () => {
    const space = await admin('POST', '/spaces', { name: 'Perf-Dev', compliance: ['dev'], stack: 'ds1' });
    assert.deepEqual(
      [space.status, space.json().name, space.json().apps, space.json().state],
      [200, 'perf-dev', '0', 'allocated'],
    );
    assert.equal((await admin('POST', '/spaces', { name: 'perf-dev' })).status, 409);
    assert.equal((await admin('POST', '/spaces', { name: 'kube-system' })).status, 409);
    assert.equal((await admin('POST', '/spaces', { name: 'a b' })).status, 422);
    assert.equal((await admin('POST', '/spaces', { name: 'ab', compliance: ['a b'] })).status, 422);
    assert.equal((await admin('GET', `/spaces/${space.json().id}`)).json().name, 'perf-dev');
    const org = await admin('POST', '/organizations', { name: 'testorg', description: 'd' });
    assert.deepEqual([org.status, org.json().description, org.json().role], [201, 'd', 'admin']);
    assert.equal((await admin('POST', '/organizations', { name: 'testorg' })).status, 409);
    assert.equal((await admin('POST', '/organizations', {})).status, 422);
    assert.equal((await admin('GET', `/organizations/${org.json().id}`)).status, 404, 'by name only');
    assert.equal((await admin('DELETE', '/organizations/testorg')).status, 200);
    assert.equal((await admin('GET', '/regions/us-seattle')).json().id, 'f5f1d4d9-aa4a-12aa-bec3-d44af53b59e3');
    assert.equal((await admin('GET', '/stacks/ds1')).json().id, 'ffa8cf57-768e-5214-82fe-fda3f19353f3');
    assert.equal((await admin('GET', '/stacks/ds9')).status, 404);
    const sizes = (await admin('GET', '/sizes')).json<{ name: string; resources: unknown; price: number }[]>();
    const gp2 = sizes.find(({ name }) => name === 'gp2');
    assert.deepEqual(
      [gp2?.resources, gp2?.price],
      [{ requests: { memory: '256Mi' }, limits: { memory: '512Mi' } }, 20],
    );
  });

  test('favorites: once each, one’s own, gone with the app', async () => {
    const path = await newApp('liked');
    for (let times = 0; times < 2; times += 1)
      assert.equal((await admin('POST', '/favorites', { app: 'liked-default' })).status, 201);
    const list = (await admin('GET', '/favorites')).json<{ app: string; name: string }[]>();
    assert.deepEqual(list.filter(({ name }) => name === 'liked-default').length, 1);
    const other = await call(served.url, 'GET', '/favorites', { as: `Bearer ${served.tokens.member}` });
    assert.deepEqual(other.json(), []);
    assert.equal((await admin('POST', '/favorites', { app: 'nothing' })).status, 404);
    assert.deepEqual([(await admin('DELETE', '/favorites/liked-default')).status], [204]);
    assert.equal((await admin('DELETE', '/favorites/liked-default')).status, 404);
    await admin('DELETE', path);
  });
});
