/** Credentials, bodies, errors as text, compression, log sessions, and what is no app. */
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { suite, test } from 'node:test';
import { systemClock } from '../../../src/lib/clock.ts';
import { call, PASSWORD, servedForSuite } from './served.ts';

suite('conventions', () => {
  const served = servedForSuite();
  const { admin, newApp } = served;

  test('credentials: bare, Bearer, Basic; nothing else, and nothing said about why', async () => {
    const { url, tokens } = served.get();
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
      call(served.get().url, 'POST', '/authorizations', {
        as: `Basic ${Buffer.from(`member:${password}`).toString('base64')}`,
        body: { note: 'x', scopes: ['read:user'] },
      });
    assert.deepEqual([(await login('wrong')).status, (await login('wrong')).text], [401, '']);
    const { token } = (await login(PASSWORD)).json<{ token: string }>();
    const account = await call(served.get().url, 'GET', '/account', { as: `Bearer ${token}` });
    assert.equal(account.json().email, 'member@apps.test');
  });

  test('a bare token says by headers who is meant and whether access is elevated', async () => {
    const path = await newApp('guarded', 'safe');
    const as = served.get().tokens.admin;
    assert.equal((await call(served.get().url, 'DELETE', path, { as })).status, 403);
    const headers = { 'x-username': 'alice', 'x-elevated-access': 'true' };
    const favorite = await call(served.get().url, 'POST', '/favorites', { as, headers, body: { app: 'guarded-safe' } });
    assert.equal(favorite.status, 201);
    assert.equal((await call(served.get().url, 'GET', '/favorites', { as, headers })).json<unknown[]>().length, 1);
    assert.equal((await call(served.get().url, 'GET', '/favorites', { as })).json<unknown[]>().length, 0);
    const forged = await call(served.get().url, 'DELETE', path, { as: served.get().tokens.member, headers });
    assert.equal(forged.status, 404);
    assert.deepEqual(Object.keys((await call(served.get().url, 'DELETE', path, { as, headers })).json()), [
      'id',
      'name',
      'org',
      'result',
    ]);
  });

  test('bodies: JSON whatever the content type, empty is fine, malformed is 400, errors are bare text', async () => {
    const path = await newApp('bodies');
    const as = `Bearer ${served.get().tokens.admin}`;
    const headers = { 'content-type': 'text/plain' };
    const odd = await call(served.get().url, 'PATCH', path, { as, headers, body: '{"description":"odd"}' });
    assert.equal(odd.json().description, 'odd');
    assert.equal((await call(served.get().url, 'PATCH', path, { as, body: '' })).status, 200);
    const malformed = await call(served.get().url, 'PATCH', path, { as, body: '{"a":' });
    assert.deepEqual([malformed.status, malformed.headers.get('content-type')], [400, 'application/json']);
    assert.equal((await call(served.get().url, 'PATCH', path, { as, body: '{"__proto__":{"a":1}}' })).status, 400);
    const large = await call(served.get().url, 'PATCH', path, {
      as,
      body: JSON.stringify({ description: 'x'.repeat(2 ** 20) }),
    });
    assert.equal(large.status, 413);
    const upper = await call(served.get().url, 'GET', '/APPS/Bodies-Default?simple=X', { as });
    assert.deepEqual([upper.status, upper.headers.get('ratelimit-remaining')], [200, '2400']);
  });

  test('a chunked DELETE without a content type is an ordinary one, and long answers are compressed', async () => {
    const path = await newApp('chunked');
    await admin('PATCH', path, { description: 'x'.repeat(2000) });
    const info = await admin('GET', path);
    assert.equal(info.headers.get('content-encoding'), 'gzip');
    const status = await new Promise<number>((resolve, reject) => {
      const headers = { authorization: served.get().tokens.admin, 'transfer-encoding': 'chunked' };
      const sent = request(`${served.get().url}${path}`, { method: 'DELETE', headers });
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

  test('log sessions: a URL that needs no credentials, for five minutes, unforgeable', async () => {
    const path = await newApp('logs');
    for (const lines of [0, 251, 'x'])
      assert.equal((await admin('POST', `${path}/log-sessions`, { lines })).status, 422);
    const { id } = (await admin('GET', path)).json();
    const at = systemClock.now();
    const line = { at, source: 'app', process: 'web', instance: 'one', seat: '', text: 'hello' } as const;
    await served.get().logs.append(`apps/${id}`, [line]);
    const session = (await admin('POST', `${path}/log-sessions`, { lines: 10 })).json<{ logplex_url: string }>();
    const where = session.logplex_url.replace('http://akkeris.test', '');
    const answer = await call(served.get().url, 'GET', where);
    assert.match(answer.text, /Z logs-default app\[web\.\d{10}-\w{5}\]: hello\n$/);
    const forged = where.slice(0, -2) + (where.endsWith('00') ? '11' : '00');
    assert.equal((await call(served.get().url, 'GET', forged)).status, 404);
    const tail = (await admin('POST', `${path}/log-sessions`, { lines: 1, tail: true })).json<{
      logplex_url: string;
    }>();
    const gone = new AbortController();
    const live = await fetch(tail.logplex_url.replace('http://akkeris.test', served.get().url), {
      signal: gone.signal,
    });
    const reader = live.body?.pipeThrough(new TextDecoderStream()).getReader();
    assert.match((await reader?.read())?.value ?? '', /hello/);
    await served.get().logs.append(`apps/${id}`, [{ ...line, text: 'later' }]);
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
    const other = await call(served.get().url, 'GET', '/favorites', { as: `Bearer ${served.get().tokens.member}` });
    assert.deepEqual(other.json(), []);
    assert.equal((await admin('POST', '/favorites', { app: 'nothing' })).status, 404);
    assert.deepEqual([(await admin('DELETE', '/favorites/liked-default')).status], [204]);
    assert.equal((await admin('DELETE', '/favorites/liked-default')).status, 404);
    await admin('DELETE', path);
  });
});
