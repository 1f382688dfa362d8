import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { listen, oneApp, rawExchange, startBackend, startRouter } from './support/router-harness.ts';

const get = 'GET /smuggled HTTP/1.1\r\nHost: a.test\r\n\r\n';
const refusedHeads: readonly (readonly [string, string])[] = [
  [
    'length and chunked',
    `POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${get}`,
  ],
  [
    'chunked and length',
    `POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n${get}`,
  ],
  ['two different lengths', 'POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcde'],
  ['two equal lengths', 'POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 4\r\nContent-Length: 4\r\n\r\nabcd'],
  ['a list of lengths', 'POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 4, 4\r\n\r\nabcd'],
  ['a signed length', 'POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: +4\r\n\r\nabcd'],
  ['a negative length', 'POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: -4\r\n\r\nabcd'],
  ['a hexadecimal length', 'POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 0x4\r\n\r\nabcd'],
  ['an empty length', 'POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length:\r\n\r\n'],
  ['a huge length', 'POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 99999999999999999999\r\n\r\n'],
  ['an unknown coding', 'POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n'],
  ['a list of codings', 'POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n'],
  [
    'chunked twice',
    'POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  ],
  [
    'chunked and identity',
    'POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n',
  ],
  ['a quoted coding', 'POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n'],
  [
    'a vertical tab in the coding',
    'POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n',
  ],
  ['chunked in HTTP/1.0', 'POST / HTTP/1.0\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
  ['a space before the colon', 'POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length : 4\r\n\r\nabcd'],
  ['a tab before the colon', 'POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n'],
  ['a folded line', 'POST / HTTP/1.1\r\nHost: a.test\r\nX-A: 1\r\n Transfer-Encoding: chunked\r\n\r\n'],
  ['a space before the first header', 'GET / HTTP/1.1\r\n Host: a.test\r\n\r\n'],
  ['bare line feeds', 'GET / HTTP/1.1\nHost: a.test\n\n'],
  ['a bare line feed after a header', 'GET / HTTP/1.1\r\nHost: a.test\nX-A: 1\r\n\r\n'],
  ['a bare carriage return in a value', 'GET / HTTP/1.1\r\nHost: a.test\r\nX-A: 1\rX-B: 2\r\n\r\n'],
  ['a NUL in a value', 'GET / HTTP/1.1\r\nHost: a.test\r\nX-A: a\x00b\r\n\r\n'],
  ['a NUL in a name', 'GET / HTTP/1.1\r\nHost: a.test\r\nX\x00A: b\r\n\r\n'],
  ['a name of bytes above 127', 'GET / HTTP/1.1\r\nHost: a.test\r\nX-\xc3\xa4: b\r\n\r\n'],
  ['an empty name', 'GET / HTTP/1.1\r\nHost: a.test\r\n: b\r\n\r\n'],
  ['a line without colon', 'GET / HTTP/1.1\r\nHost: a.test\r\nX-A\r\n\r\n'],
  ['no Host', 'GET / HTTP/1.1\r\n\r\n'],
  ['two Hosts', 'GET / HTTP/1.1\r\nHost: a.test\r\nHost: b.test\r\n\r\n'],
  ['a Host with a path', 'GET / HTTP/1.1\r\nHost: a.test/x\r\n\r\n'],
  ['a Host with credentials', 'GET / HTTP/1.1\r\nHost: u@a.test\r\n\r\n'],
  ['a target of another host', 'GET http://b.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n'],
  ['a target that is no path', 'GET foo HTTP/1.1\r\nHost: a.test\r\n\r\n'],
  ['a fragment', 'GET /#x HTTP/1.1\r\nHost: a.test\r\n\r\n'],
  ['a space in the target', 'GET /a b HTTP/1.1\r\nHost: a.test\r\n\r\n'],
  ['two spaces', 'GET  / HTTP/1.1\r\nHost: a.test\r\n\r\n'],
  ['a control character in the target', 'GET /\x01 HTTP/1.1\r\nHost: a.test\r\n\r\n'],
  ['a lower-case protocol', 'GET / http/1.1\r\nHost: a.test\r\n\r\n'],
  ['no protocol', 'GET /\r\nHost: a.test\r\n\r\n'],
];

const refusedBodies: readonly (readonly [string, string])[] = [
  ['a chunk size that is no number', 'zz\r\nabc\r\n0\r\n\r\n'],
  ['a chunk size with a sign', '+3\r\nabc\r\n0\r\n\r\n'],
  ['a chunk size with 0x', '0x3\r\nabc\r\n0\r\n\r\n'],
  ['a chunk size with a space', '3 \r\nabc\r\n0\r\n\r\n'],
  ['a chunk size that overflows', 'fffffffffffffffff\r\nabc\r\n0\r\n\r\n'],
  ['a chunk longer than said', '3\r\nabcd\r\n0\r\n\r\n'],
  ['a bare line feed after a size', '3\nabc\r\n0\r\n\r\n'],
  ['a bare line feed after a chunk', '3\r\nabc\n0\r\n\r\n'],
  ['a bare line feed in an extension', `3;a\nabc\r\n0\r\n\r\n`],
  ['a length in the trailers', '3\r\nabc\r\n0\r\nContent-Length: 9\r\n\r\n'],
  ['a forwarded header in the trailers', '3\r\nabc\r\n0\r\nX-Forwarded-For: 1.1.1.1\r\n\r\n'],
];

test('what two parsers could read differently is refused and reaches no instance', async (t) => {
  let reached: string[] = [];
  const backend = await startBackend(t, (request, response) => {
    reached.push(`${request.method} ${request.url}`);
    request.resume();
    response.end('ok');
  });
  const { router, port } = await startRouter(t);
  await router.apply(oneApp(1, backend.port));
  for (const [name, bytes] of refusedHeads) {
    const answer = await rawExchange(port, bytes);
    assert.match(answer, /^HTTP\/1\.1 400 /, name);
    assert.match(answer, /\r\nConnection: close\r\n/, name);
    assert.equal(answer.match(/HTTP\/1\.1 /g)?.length, 1, name);
  }
  assert.deepEqual(reached, []);
  assert.match(await rawExchange(port, 'GET / HTTP/2.0\r\nHost: a.test\r\n\r\n'), /^HTTP\/1\.1 505 /);
  assert.match(await rawExchange(port, 'CONNECT a.test:443 HTTP/1.1\r\nHost: a.test\r\n\r\n'), /^HTTP\/1\.1 405 /);
  assert.match(await rawExchange(port, 'GET / HTTP/1.1\r\nHost: a.test\r\nExpect: magic\r\n\r\n'), /^HTTP\/1\.1 417 /);
  reached = [];
  for (const [name, body] of refusedBodies) {
    const head = 'POST /body HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n';
    const answer = await rawExchange(port, head + body + get);
    // The instance may have answered before the body went wrong; the connection must end either way.
    assert.ok(!answer.includes('smuggled'), name);
    assert.ok((answer.match(/HTTP\/1\.1 /g)?.length ?? 0) <= 1, name);
  }
  assert.ok(!reached.includes('GET /smuggled'));
});

test('what is odd but clear passes', async (t) => {
  const backend = await startBackend(t, (request, response) => {
    response.end(`${request.url} ${request.headers.x_under_score ?? ''}`);
  });
  const { router, port } = await startRouter(t);
  await router.apply(oneApp(1, backend.port));
  const ok = async (bytes: string, end: string): Promise<void> => {
    const answer = await rawExchange(port, bytes, (soFar) => soFar.endsWith(end));
    assert.match(answer, /^HTTP\/1\.1 200 /, bytes);
  };
  await ok('\r\nGET /a HTTP/1.1\r\nHost: A.TEST.\r\n\r\n', '/a ');
  await ok('GET http://a.test/b HTTP/1.1\r\nHost: a.test:80\r\n\r\n', '/b ');
  await ok('GET /c HTTP/1.1\r\nhOsT:a.test\r\nX_Under_Score:\t1 \r\n\r\n', '/c 1');
  await ok(
    'POST /d HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: Chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nX-T: 1\r\n\r\n',
    '/d ',
  );
});

test('an instance that answers malformed or too much never reaches the client', async (t) => {
  const answers = [
    'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nab',
    'HTTP/1.1 200 OK\nContent-Length: 0\n\n',
    'HTTP/1.1 200 OK\r\nX: a\x00\r\nContent-Length: 0\r\n\r\n',
    'garbage\r\n\r\n',
  ];
  let next = 0;
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.write(answers[next++] ?? '', 'latin1'));
  });
  const backendPort = await listen(server);
  t.after(() => server.close());
  const { router, port } = await startRouter(t);
  await router.apply(oneApp(1, backendPort));
  for (const each of answers) {
    const answer = await rawExchange(port, 'GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n');
    assert.match(answer, /^HTTP\/1\.1 502 /, each);
    assert.match(answer, /H17/);
  }
});
