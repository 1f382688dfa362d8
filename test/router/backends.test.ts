import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { get, send } from './support/http-requests.ts';
import { route, routeBackend, startBackend, startRouter, target, until } from './support/router-harness.ts';

const toDatabase = 'a/svc/db:80';

/** A backend that says its name, and holds answers to `/slow` until `finish`. */
async function named(t: TestContext, name: string): Promise<{ readonly port: number; finish(): void }> {
  const held: (() => void)[] = [];
  const { port } = await startBackend(t, (request, response) => {
    if (request.url === '/slow') held.push(() => response.end(name));
    else response.end(name);
  });
  return {
    port,
    finish: () => {
      for (const end of held.splice(0)) end();
    },
  };
}

test('a route leads to the instances and the port of its backend, and counts for the app', async (t) => {
  const [web, data, admin] = [await named(t, 'web'), await named(t, 'data'), await named(t, 'admin')];
  const { router, port, lines } = await startRouter(t);
  await router.apply({
    version: 1,
    routes: [
      route('a.test', 'a'),
      route('data.test', toDatabase),
      route('data.test', 'a', '/web'),
      route('admin.test', 'a/svc/db:81'),
      route('none.test', 'a/gone:80'),
    ],
    backends: [
      routeBackend('a', [target('w1', web.port)]),
      routeBackend(toDatabase, [target('d1', data.port, 'svc/db')], 'serving', 'a'),
      routeBackend('a/svc/db:81', [target('d1', admin.port, 'svc/db')], 'serving', 'a'),
      routeBackend('a/gone:80', [], 'serving', 'a'),
    ],
    certificates: [],
  });
  for (const [host, path, expected] of [
    ['a.test', '/', 'web'],
    ['data.test', '/', 'data'],
    ['data.test', '/web', 'web'],
    ['admin.test', '/', 'admin'],
  ] as const)
    for (let count = 0; count < 3; count += 1) assert.equal((await get(port, host, path)).body, expected);
  const none = await get(port, 'none.test', '/', { accept: 'application/json' });
  assert.equal(none.status, 503);
  assert.equal(JSON.parse(none.body).error.code, 'H14');
  assert.equal((await get(port, 'a.test', '/')).status, 200, 'the other routes of the app go on');
  const counters = await router.counters();
  assert.deepEqual(
    counters.map(({ appId, requests, failed }) => ({ appId, requests, failed })),
    [{ appId: 'a', requests: 14, failed: 1 }],
  );
  await until(() => lines('a').length === 14);
  const line = lines('a').find(({ text }) => text.includes('host=admin.test'));
  assert.equal(line?.process, 'svc/db');
  assert.match(line?.text ?? '', / status=200 .* dyno=svc\/db\.d1 /);
});

test('maintenance shows its page on every route of the app', async (t) => {
  const data = await named(t, 'data');
  const { router, port } = await startRouter(t);
  await router.apply({
    version: 1,
    routes: [route('a.test', 'a'), route('data.test', toDatabase)],
    backends: [
      routeBackend('a', [], 'maintenance'),
      routeBackend(toDatabase, [target('d1', data.port)], 'maintenance', 'a'),
    ],
    certificates: [],
  });
  for (const host of ['a.test', 'data.test']) {
    const page = await get(port, host, '/');
    assert.equal(page.status, 503);
    assert.match(page.body, /H80/);
  }
});

test('an instance that serves two routes on two ports drains as one', async (t) => {
  const [data, admin] = [await named(t, 'data'), await named(t, 'admin')];
  const next = await named(t, 'next');
  const { router, port } = await startRouter(t, { workers: 2 });
  const apply = (version: number, dataTarget: [string, number], adminTarget: [string, number]): Promise<void> =>
    router.apply({
      version,
      routes: [route('data.test', 'a/db:80'), route('admin.test', 'a/db:81')],
      backends: [
        routeBackend('a/db:80', [target(...dataTarget)], 'serving', 'a'),
        routeBackend('a/db:81', [target(...adminTarget)], 'serving', 'a'),
      ],
      certificates: [],
    });
  await apply(1, ['d1', data.port], ['d1', admin.port]);
  const slow = [send(port, 'data.test', '/slow'), send(port, 'admin.test', '/slow')];
  await until(async () => (await router.counters())[0]?.inFlight === 2);
  await apply(2, ['d2', next.port], ['d2', next.port]);
  assert.equal((await get(port, 'admin.test', '/')).body, 'next');
  assert.deepEqual(await router.drain(['d1'], 30), { leftInFlight: 2 });
  const drained = router.drain(['d1'], 20_000);
  data.finish();
  assert.equal((await slow[0])?.body, 'data');
  assert.deepEqual(await router.drain(['d1'], 30), { leftInFlight: 1 });
  admin.finish();
  assert.deepEqual(await drained, { leftInFlight: 0 });
  assert.equal((await slow[1])?.body, 'admin');
});

test('an instance that moved to another port drains with what is in flight to the former one', async (t) => {
  const [former, present] = [await named(t, 'former'), await named(t, 'present')];
  const { router, port } = await startRouter(t);
  const apply = (version: number, at: number | null): Promise<void> =>
    router.apply({
      version,
      routes: [route('a.test', 'a')],
      backends: [routeBackend('a', at === null ? [] : [target('i1', at)])],
      certificates: [],
    });
  await apply(1, former.port);
  const slow = send(port, 'a.test', '/slow');
  await until(async () => (await router.counters())[0]?.inFlight === 1);
  await apply(2, present.port);
  assert.equal((await get(port, 'a.test', '/')).body, 'present');
  await apply(3, null);
  assert.deepEqual(await router.drain(['i1'], 30), { leftInFlight: 1 });
  former.finish();
  assert.deepEqual(await router.drain(['i1'], 20_000), { leftInFlight: 0 });
  assert.equal((await slow).body, 'former');
});
