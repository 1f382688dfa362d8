/** Apps, features, config vars: codes, exact texts and shapes over the wire. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { servedForSuite } from './served.ts';

suite('apps', () => {
  const served = servedForSuite();
  const { admin, newApp } = served;

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
});
