import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { get, send } from './support/http-requests.ts';
import { listen, oneApp, rawExchange, rawSocket, startBackend, startRouter, until } from './support/router-harness.ts';

const head = 'GET / HTTP/1.1\r\nHost: a.test\r\n';

test('heads over their limits are refused', async (t) => {
  const { port } = await startRouter(t, { limits: { headBytes: 2000, headerCount: 10 } });
  assert.match(await rawExchange(port, `${head}X-A: ${'a'.repeat(3000)}\r\n\r\n`), /^HTTP\/1\.1 431 /);
  assert.match(await rawExchange(port, `GET /${'a'.repeat(3000)} HTTP/1.1\r\n`), /^HTTP\/1\.1 431 /);
  assert.match(await rawExchange(port, `${head}${'A: b\r\n'.repeat(11)}\r\n`), /^HTTP\/1\.1 431 /);
  assert.match(await rawExchange(port, 'x'.repeat(3000)), /^HTTP\/1\.1 431 /);
});

test('a head that does not come whole in time is given up, however it trickles', async (t) => {
  const { port } = await startRouter(t, { limits: { headTimeoutMs: 300 } });
  const socket = rawSocket(port);
  let seen = '';
  let closed = false;
  socket.setEncoding('utf8').on('data', (text: string) => {
    seen += text;
  });
  socket.on('error', () => {});
  socket.on('close', () => {
    closed = true;
  });
  socket.write(head);
  const trickle = setInterval(() => socket.write('X: y\r\n'), 50);
  t.after(() => clearInterval(trickle));
  await until(() => seen.startsWith('HTTP/1.1 408 '));
  clearInterval(trickle);
  socket.end();
  await until(() => closed);
  // One that says nothing at all is closed without a word.
  assert.equal(await rawExchange(port, ''), '');
});

test('an idle connection is closed after its time, not before', async (t) => {
  const backend = await startBackend(t, (_incoming, response) => response.end('ok'));
  const { router, port } = await startRouter(t, { limits: { keepAliveMs: 400 } });
  await router.apply(oneApp(1, backend.port));
  const startedMs = performance.now();
  assert.match(await rawExchange(port, `${head}\r\n`), /ok/);
  const tookMs = performance.now() - startedMs;
  assert.ok(tookMs >= 300, `${tookMs}`);
});

test('a body over its limit is refused, said or found', async (t) => {
  const backend = await startBackend(t, (incoming, response) => {
    incoming.resume();
    incoming.on('end', () => response.end('ok'));
  });
  const { router, port } = await startRouter(t, { limits: { bodyBytes: 1000 } });
  await router.apply(oneApp(1, backend.port));
  assert.equal((await send(port, 'a.test', '/', { method: 'POST', body: 'x'.repeat(1000) })).status, 200);
  assert.match(
    await rawExchange(port, 'POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 1001\r\n\r\n'),
    /^HTTP\/1\.1 413 /,
  );
  const chunk = `3e8\r\n${'x'.repeat(1000)}\r\n`;
  assert.match(
    await rawExchange(port, `POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}${chunk}`),
    /^HTTP\/1\.1 413 /,
  );
});

test('an app that does not answer in time is told of as H12, one that stops in its answer is cut', async (t) => {
  const backend = await startBackend(t, (incoming, response) => {
    if (incoming.url === '/half') response.write('half');
  });
  const late = await startRouter(t, { limits: { responseTimeoutMs: 1_000 } });
  await late.router.apply(oneApp(1, backend.port));
  const answer = await get(late.port, 'a.test', '/');
  assert.equal(answer.status, 504);
  assert.match(answer.body, /H12/);
  const idle = await startRouter(t, { limits: { responseTimeoutMs: 60_000, idleTimeoutMs: 1_000 } });
  await idle.router.apply(oneApp(1, backend.port));
  await assert.rejects(get(idle.port, 'a.test', '/half'));
  await until(() => idle.lines('a').some((line) => line.text.includes('code=H18')));
});

test('a slow upload and a slow answer are not cut while they move', async (t) => {
  // Each takes longer than the limits, and no two pieces are as far apart.
  const pieces = 25;
  const backend = await startBackend(t, (incoming, response) => {
    incoming.resume();
    incoming.on('end', () => {
      let left = pieces;
      const timer = setInterval(() => {
        response.write('.');
        if (--left > 0) return;
        clearInterval(timer);
        response.end();
      }, 100);
    });
  });
  const { router, port } = await startRouter(t, { limits: { responseTimeoutMs: 2_000, idleTimeoutMs: 2_000 } });
  await router.apply(oneApp(1, backend.port));
  const socket = rawSocket(port);
  let seen = '';
  socket.setEncoding('utf8').on('data', (text: string) => {
    seen += text;
  });
  socket.write(`POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: ${pieces}\r\n\r\n`);
  let left = pieces;
  const timer = setInterval(() => {
    socket.write('x');
    if (--left === 0) clearInterval(timer);
  }, 100);
  await until(() => seen.endsWith('\r\n0\r\n\r\n'));
  socket.destroy();
});

test('a client that goes away takes its request to the app with it', async (t) => {
  let begun = 0;
  let gone = 0;
  const backend = await startBackend(t, (incoming) => {
    begun++;
    incoming.socket.on('close', () => gone++);
  });
  const { router, port } = await startRouter(t);
  await router.apply(oneApp(1, backend.port));
  for (const leave of ['destroy', 'end'] as const) {
    const before = begun;
    const socket = rawSocket(port);
    socket.on('error', () => {});
    socket.write(`${head}\r\n`);
    await until(() => begun > before);
    socket[leave]();
    await until(() => gone === begun);
  }
});

test('a client that sends without reading is held back, not stored', async (t) => {
  let served = 0;
  const page = 'x'.repeat(100_000);
  const backend = await startBackend(t, (_incoming, response) => {
    served++;
    response.end(page);
  });
  const { router, port } = await startRouter(t);
  await router.apply(oneApp(1, backend.port));
  const socket = rawSocket(port);
  socket.pause();
  socket.on('error', () => {});
  const count = 5000;
  socket.write(`${head}\r\n`.repeat(count));
  let last = -1;
  let since = 0;
  await until(() => {
    if (served !== last) {
      last = served;
      since = performance.now();
    }
    return served > 0 && performance.now() - since > 300;
  });
  assert.ok(served < count / 5, `${served} answers were stored`);
  socket.destroy();
});

test('an app that refuses is passed over, one that closes kept connections is asked again', async (t) => {
  const closed = createServer();
  const deadPort = await listen(closed);
  await new Promise((resolve) => closed.close(resolve));
  const alive = await startBackend(t, (incoming, response) => {
    incoming.resume();
    incoming.on('end', () => response.end('alive'));
  });
  const { router, port, lines } = await startRouter(t);
  await router.apply(oneApp(1, deadPort, alive.port));
  for (let at = 0; at < 10; at++) {
    const answer = await send(port, 'a.test', '/', { method: 'POST', body: 'once' });
    assert.equal(answer.body, 'alive');
  }
  for (let at = 0; at < 10; at++) {
    alive.server.closeAllConnections();
    assert.equal((await get(port, 'a.test', '/')).body, 'alive');
  }
  await until(() => lines('a').length === 20);
  assert.ok(lines('a').every((line) => line.text.includes('status=200')));
});

test('a request that may have had an effect is not sent twice', async (t) => {
  let seen = 0;
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => {
      seen++;
      socket.destroy();
    });
  });
  const dying = await listen(server);
  t.after(() => server.close());
  const { router, port } = await startRouter(t);
  await router.apply(oneApp(1, dying));
  const post = await send(port, 'a.test', '/', { method: 'POST', body: 'x' });
  assert.equal(post.status, 503);
  assert.match(post.body, /H13/);
  assert.equal(seen, 1);
});
