/** What holds for every route: roots, errors in their documented forms, dates, ids, slashes, HEAD. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { basic, servedForSuite } from './served.ts';

suite('conventions', () => {
  const { get, as, person } = servedForSuite();

  test('JSON that is none: 400, with what the parser says', async () => {
    const { send } = await person();
    for (const [path, sender] of [
      ['/users/sign_in', as(undefined)],
      ['/apps', send],
    ] as const) {
      const answer = await sender('POST', path, '{"user": {');
      assert.equal(answer.status, 400);
      const { error } = answer.json<{ error: string }>();
      assert.match(error, /^There was a problem in the JSON you submitted: .*position \d+/);
      assert.deepEqual(Object.keys(answer.json()), ['error']);
    }
  });

  test('what is not there: 404 with the noun', async () => {
    const { send } = await person();
    await send('POST', '/apps', { app: { name: 'convention' } });
    const unknown = 'ab'.repeat(12);
    for (const [path, resource] of [
      ['/apps/123', 'app'],
      [`/apps/${unknown}`, 'app'],
      [`/apps/convention/operations/${unknown}`, 'operation'],
      [`/apps/convention/domains/${unknown}`, 'domain'],
      [`/account/keys/${unknown}`, 'key'],
      [`/tokens/${unknown}`, 'token'],
    ] as const) {
      const answer = await send('GET', path);
      assert.deepEqual([answer.status, answer.json()], [404, { resource, error: 'not found' }], path);
    }
    for (const [path, resource] of [
      [`/apps/convention/variables/${unknown}`, 'variable'],
      [`/apps/convention/collaborators/${unknown}`, 'collaborator'],
    ] as const) {
      const answer = await send('DELETE', path);
      assert.deepEqual([answer.status, answer.json()], [404, { resource, error: 'not found' }], path);
    }
    const nowhere = await send('GET', '/nowhere');
    assert.deepEqual([nowhere.status, nowhere.json().error], [404, 'not found']);
    assert.match(nowhere.headers.get('content-type') ?? '', /^application\/json/);
  });

  test('a missing root and wrong data: 422, fields with lists of texts', async () => {
    const { send } = await person();
    const missing = await send('POST', '/apps', {});
    assert.deepEqual([missing.status, missing.json()], [422, { errors: { app: ['missing field'] } }]);
    const wrong = await send('POST', '/apps', { app: { name: 'AnotherApp' } });
    const text = 'should contain only lowercap letters, digits and hyphens';
    assert.deepEqual([wrong.status, wrong.json()], [422, { errors: { name: [text] } }]);
    for (const body of [[], 'null', '"text"', { app: null }, { app: [] }]) {
      const answer = await send('POST', '/apps', body);
      assert.equal(answer.status, 422, JSON.stringify(body));
    }
  });

  test('a limit that is reached: 402 with where to get more', async () => {
    const { send, username } = await person();
    const { core, tokens } = get();
    assert.equal((await send('POST', '/apps', { app: { name: 'first-app' } })).status, 201);
    const admin = await core.authenticator.byToken(tokens.admin);
    await core.quotas.setOfTeam(admin, username, 1);
    await core.quotas.setOfApp(admin, 'first-app', 2);
    const refused = await send('POST', '/apps', { app: { name: 'second-app' } });
    assert.equal(refused.status, 402);
    const { error, url, name } = refused.json();
    assert.match(String(error), /^Sorry, .*quota of 1 apps/);
    assert.deepEqual([url, name], ['http://scalingo.test/billing', 'free-trial-exceeded']);
    const dry = await send('POST', '/apps', { app: { name: 'second-app' } }, { 'x-dry-run': 'true' });
    assert.equal(dry.status, 402);
    const scaled = await send('POST', '/apps/first-app/scale', { containers: [{ name: 'web', amount: 3 }] });
    assert.equal(scaled.status, 402);
    assert.equal(
      (await send('POST', '/apps/first-app/scale', { containers: [{ name: 'web', amount: 2 }] })).status,
      202,
    );
  });

  test('a fault of the platform: 500 with the documented text, and nothing of the cause', async (t) => {
    const { send } = await person();
    const { core } = get();
    t.mock.method(core.apps, 'list', () => Promise.reject(new Error('the secret cause')));
    const answer = await send('GET', '/apps');
    assert.deepEqual([answer.status, answer.json()], [500, { error: "Internal error occured, we're on it!" }]);
    assert.match(answer.headers.get('x-request-id') ?? '', /^[\w-]{8,}$/);
  });

  test('a slash after a path, a question mark without a query and a label of the body do not matter', async () => {
    const { send, token } = await person();
    await send('POST', '/apps', { app: { name: 'slashes' } });
    for (const path of [
      '/apps/',
      '/apps/slashes/',
      '/account/keys/',
      '/apps?',
      '/apps/slashes/variables/?aliases=true',
    ])
      assert.equal((await send('GET', path)).status, 200, path);
    const answer = await fetch(`${get().url}/v1/apps`, {
      method: 'POST',
      headers: { authorization: basic(token), 'content-type': 'text/plain' },
      body: '{"app":{"name":"labelled"}}',
    });
    assert.equal(answer.status, 201);
    await answer.arrayBuffer();
  });

  test('HEAD gives the headers of GET and no body', async () => {
    const { send } = await person();
    await send('POST', '/apps', { app: { name: 'headers' } });
    const full = await send('GET', '/apps/headers');
    const head = await send('HEAD', '/apps/headers');
    assert.deepEqual([head.status, head.text], [200, '']);
    for (const name of ['content-type', 'content-length'])
      assert.equal(head.headers.get(name), full.headers.get(name), name);
    assert.equal((await send('HEAD', '/apps/nothing')).status, 404);
    assert.equal((await as(undefined)('HEAD', '/apps')).status, 401);
  });

  test('every answer has the id of its request, the caller’s own where it has one', async () => {
    const own = await as(undefined)('GET', '/regions', undefined, { 'x-request-id': 'request-0001' });
    assert.equal(own.headers.get('x-request-id'), 'request-0001');
    assert.match((await as(undefined)('GET', '/apps')).headers.get('x-request-id') ?? '', /^[0-9a-f-]{36}$/);
  });

  test('what the platform as a whole offers, and what it has none of', async () => {
    const { send } = await person();
    await send('POST', '/apps', { app: { name: 'nothing-yet' } });
    const empty: Readonly<Record<string, string>> = {
      '/features/stacks': 'stacks',
      '/notification_platforms': 'notification_platforms',
      '/scm_integrations': 'scm_integrations',
      '/scm_repo_links': 'scm_repo_links',
      '/projects': 'projects',
      '/apps/nothing-yet/autoscalers': 'autoscalers',
      '/apps/nothing-yet/notifiers': 'notifiers',
      '/apps/nothing-yet/notifications': 'notifications',
      '/apps/nothing-yet/alerts': 'alerts',
      '/apps/nothing-yet/cron_tasks': 'jobs',
      '/apps/nothing-yet/log_drains': 'drains',
    };
    for (const [path, key] of Object.entries(empty)) {
      const answer = await send('GET', path);
      assert.deepEqual([answer.status, answer.json()], [200, { [key]: [] }], path);
    }
    const [region] = (await send('GET', '/regions')).json<{ regions: Record<string, unknown>[] }>().regions;
    assert.deepEqual([region?.api, region?.database_api, region?.default], [get().url, get().url, true]);
    const sizes = (await as(undefined)('GET', '/features/container_sizes')).json<{
      container_sizes: { name: string; memory: number; ordinal: number; hourly_price: number }[];
    }>().container_sizes;
    assert.deepEqual(
      sizes.map(({ name, memory, ordinal, hourly_price }) => [name, memory / 1024 ** 2, ordinal, hourly_price]),
      [
        ['S', 256, 2, 1],
        ['M', 512, 3, 2],
        ['L', 1024, 4, 4],
        ['XL', 2048, 5, 8],
        ['2XL', 4096, 6, 16],
      ],
    );
  });

  test('the dialect answers on the shared port too, by its host', async () => {
    const { port, hostname } = new URL(get().sharedUrl);
    const { request } = await import('node:http');
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const asked = request(
        { host: hostname, port, path: '/v1/regions', headers: { host: `scalingo.berth.test:${port}` } },
        (response) => {
          response.resume();
          resolve(response.statusCode);
        },
      );
      asked.on('error', reject);
      asked.end();
    });
    assert.equal(status, 200);
  });
});
