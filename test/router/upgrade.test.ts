import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WebSocket, WebSocketServer } from 'ws';
import { oneApp, rawExchange, rawSocket, startBackend, startRouter, until } from './support/router-harness.ts';

test('WebSockets pass, large messages and closing codes too', async (t) => {
  const backend = await startBackend(t, () => {});
  const server = new WebSocketServer({ server: backend.server });
  server.on('connection', (socket, incoming) => {
    socket.send(`hello ${incoming.url}`);
    socket.on('message', (data, binary) => socket.send(data, { binary }));
    socket.on('close', (code) => closed.push(code));
  });
  const closed: number[] = [];
  const { router, port, lines } = await startRouter(t);
  await router.apply(oneApp(1, backend.port));
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws?secret=1`, { headers: { host: 'a.test' } });
  const messages: Buffer[] = [];
  socket.on('message', (data: Buffer) => messages.push(data));
  await until(() => messages.length === 1);
  assert.equal(messages[0]?.toString(), 'hello /ws?secret=1');
  const large = Buffer.alloc(2_000_000, 7);
  socket.send(large);
  await until(() => messages.length === 2);
  assert.ok(messages[1]?.equals(large));
  const [counters] = await router.counters();
  assert.equal(counters?.inFlight, 1);
  socket.close(4001);
  await until(() => closed.length === 1);
  assert.deepEqual(closed, [4001]);
  await until(() => lines('a').some((line) => /status=101 .*path=\/ws$/.test(line.text)));
});

test('a POST that upgrades carries its body as early bytes, and each side may end alone', async (t) => {
  const backend = await startBackend(t, () => {});
  backend.server.on('upgrade', (incoming, socket, early) => {
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${incoming.headers.upgrade}\r\n\r\n`,
    );
    let received = early.toString();
    socket.on('data', (bytes: Buffer) => {
      received += bytes.toString();
    });
    socket.on('end', () => socket.end(`heard ${received}`));
    socket.on('error', () => {});
  });
  const { router, port } = await startRouter(t);
  await router.apply(oneApp(1, backend.port));
  const socket = rawSocket(port);
  let seen = '';
  let ended = false;
  socket.setEncoding('utf8').on('data', (piece: string) => {
    seen += piece;
  });
  socket.on('end', () => {
    ended = true;
  });
  socket.write('POST /attach HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nearly ');
  await until(() => seen.includes('\r\n\r\n'));
  assert.match(seen, /^HTTP\/1\.1 101 Switching Protocols\r\n/);
  assert.match(seen, /Upgrade: tcp\r\n/);
  socket.end('late');
  await until(() => ended);
  assert.match(seen, /heard early late$/);
});

test('an instance may refuse to upgrade; bytes after it are not taken for a request', async (t) => {
  const reached: string[] = [];
  const backend = await startBackend(t, (incoming, response) => {
    reached.push(`${incoming.url} ${incoming.headers.upgrade ?? '-'}`);
    response.end('no');
  });
  const { router, port } = await startRouter(t);
  await router.apply(oneApp(1, backend.port));
  const upgrade = 'GET /up HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: thing\r\n\r\n';
  const next = 'GET /next HTTP/1.1\r\nHost: a.test\r\n\r\n';
  const answer = await rawExchange(port, upgrade + next);
  assert.equal(answer.match(/HTTP\/1\.1 200/g)?.length, 1);
  assert.deepEqual(reached, ['/up thing']);
});

test('an upgrade to HTTP/2 is not passed on', async (t) => {
  const backend = await startBackend(t, (incoming, response) => {
    response.end(`${incoming.headers.upgrade ?? 'none'} ${incoming.headers['http2-settings'] ?? 'none'}`);
  });
  const { router, port } = await startRouter(t);
  await router.apply(oneApp(1, backend.port));
  const answer = await rawExchange(
    port,
    'GET / HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n',
    (soFar) => soFar.endsWith('none none'),
  );
  assert.match(answer, /^HTTP\/1\.1 200 /);
});
