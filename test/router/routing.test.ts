import assert from 'node:assert/strict';
import { test } from 'node:test';
import { get } from './support/http-requests.ts';
import {
  oneApp,
  rawExchange,
  route,
  routeBackend,
  startBackend,
  startRouter,
  target,
  until,
} from './support/router-harness.ts';

test('routes by host and longest prefix, and writes an access line without the query', async (t) => {
  const one = await startBackend(t, (request, response) => response.end(`one ${request.url}`));
  const two = await startBackend(t, (request, response) => response.end(`two ${request.url}`));
  const { router, port, lines } = await startRouter(t);
  await router.apply({
    version: 1,
    routes: [route('a.test', 'a'), route('a.test', 'b', '/api', '/'), route('*.w.test', 'b')],
    backends: [routeBackend('a', [target('i1', one.port)]), routeBackend('b', [target('i2', two.port)])],
    certificates: [],
  });
  assert.equal((await get(port, 'a.test', '/x?token=1')).body, 'one /x?token=1');
  assert.equal((await get(port, 'A.test:99', '/api/y?q')).body, 'two /y?q');
  assert.equal((await get(port, 'a.test', '/apiary')).body, 'one /apiary');
  assert.equal((await get(port, 'deep.er.w.test', '/')).body, 'two /');
  const missing = await get(port, 'other.test', '/');
  assert.equal(missing.status, 404);
  assert.match(missing.body, /H81/);
  await until(() => lines('a').length === 2);
  const line = lines('a')[0];
  assert.equal(line?.source, 'router');
  assert.match(
    line?.text ?? '',
    /^bytes=14 method=GET request_id=[0-9a-f-]{36} fwd=127\.0\.0\.1 authority=a\.test origin=http:\/\/a\.test protocol=HTTP\/1\.1 tls=false status=200 connect=\d+\.\d\dms service=\d+\.\d\dms total=\d+\.\d\dms dyno=web\.i1 host=a\.test path=\/x$/,
  );
});

test('answers with the platform codes, as JSON for those who ask', async (t) => {
  const closed = await startBackend(t, () => {});
  await new Promise((resolve) => closed.server.close(resolve));
  const { router, port } = await startRouter(t);
  await router.apply({
    version: 1,
    routes: [route('none.test', 'none'), route('rest.test', 'rest'), route('down.test', 'down')],
    backends: [
      routeBackend('none', []),
      routeBackend('rest', [], 'maintenance'),
      routeBackend('down', [target('i1', closed.port)]),
    ],
    certificates: [],
  });
  const none = await get(port, 'none.test', '/', { accept: 'application/json' });
  assert.equal(none.status, 503);
  assert.equal(JSON.parse(none.body).error.code, 'H14');
  const rest = await get(port, 'rest.test', '/');
  assert.equal(rest.status, 503);
  assert.match(rest.body, /H80/);
  assert.ok(rest.headers['retry-after']);
  const down = await get(port, 'down.test', '/');
  assert.equal(down.status, 503);
  assert.match(down.body, /H21/);
});

test('HEAD, 204 and 304 have no body, and the connection goes on', async (t) => {
  const backend = await startBackend(t, (request, response) => {
    if (request.url === '/204') response.writeHead(204).end();
    else if (request.url === '/304') response.writeHead(304, { 'content-length': '5' }).end();
    else response.end('hello');
  });
  const { router, port } = await startRouter(t);
  await router.apply(oneApp(1, backend.port));
  const head = (method: string, path: string): string => `${method} ${path} HTTP/1.1\r\nHost: a.test\r\n\r\n`;
  const received = await rawExchange(
    port,
    head('HEAD', '/') + head('GET', '/204') + head('GET', '/304') + head('GET', '/'),
    (soFar) => soFar.endsWith('hello'),
  );
  assert.equal(received.match(/^HTTP\/1\.1 /gm)?.length, 4);
  assert.equal(received.match(/hello/g)?.length, 1);
});
