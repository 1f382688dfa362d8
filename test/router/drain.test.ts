import assert from 'node:assert/strict';
import { Agent, type RequestListener } from 'node:http';
import { test } from 'node:test';
import type { RouteBackend } from '../../src/core/ports/router.ts';
import { get, send } from './support/http-requests.ts';
import {
  oneApp,
  rawSocket,
  route,
  routeBackend,
  startBackend,
  startRouter,
  target,
  until,
} from './support/router-harness.ts';

test('drain waits for what is in flight to targets that left the table, and says what is left', async (t) => {
  let finish: () => void = () => {};
  const old = await startBackend(t, (_incoming, response) => {
    response.write('begun ');
    finish = () => response.end('ended');
  });
  const fresh = await startBackend(t, (_incoming, response) => response.end('fresh'));
  const { router, port } = await startRouter(t, { workers: 2 });
  await router.apply(oneApp(1, old.port));
  const slow = send(port, 'a.test', '/');
  await until(async () => (await router.counters())[0]?.inFlight === 1);
  await router.apply(oneApp(2, fresh.port));
  assert.equal((await get(port, 'a.test', '/')).body, 'fresh');
  assert.deepEqual(await router.drain([`i${old.port}`], 50), { leftInFlight: 1 });
  const drained = router.drain([`i${old.port}`], 20_000);
  finish();
  assert.deepEqual(await drained, { leftInFlight: 0 });
  assert.equal((await slow).body, 'begun ended');
  assert.deepEqual(await router.drain(['unknown'], 20_000), { leftInFlight: 0 });
});

test('upgraded connections count as in flight', async (t) => {
  const backend = await startBackend(t, () => {});
  backend.server.on('upgrade', (_incoming, socket) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n');
    socket.on('end', () => socket.end());
    socket.on('error', () => {});
  });
  const { router, port } = await startRouter(t);
  await router.apply(oneApp(1, backend.port));
  const socket = rawSocket(port);
  let open = false;
  socket.on('data', () => {
    open = true;
  });
  socket.write('GET / HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n');
  await until(() => open);
  const id = `i${backend.port}`;
  assert.deepEqual(await router.drain([id], 20), { leftInFlight: 1 });
  const drained = router.drain([id], 20_000);
  socket.end();
  assert.deepEqual(await drained, { leftInFlight: 0 });
});

test('no request fails while the table is swapped again and again under load and the old targets drain and stop', async (t) => {
  const { router, port } = await startRouter(t, { workers: 2 });
  const listener: RequestListener = (incoming, response) => {
    incoming.resume();
    // Some answers take a while, so that there is always something in flight at a swap.
    incoming.on('end', () => setTimeout(() => response.end('ok'), incoming.url === '/slow' ? 60 : 0));
  };
  let instances = 0;
  /** An instance with two ports. */
  const begin = async (): Promise<{ id: string; ports: Awaited<ReturnType<typeof startBackend>>[] }> => ({
    id: `i${++instances}`,
    ports: [await startBackend(t, listener), await startBackend(t, listener)],
  });
  let current = [await begin(), await begin()];
  const backendOf = (port: 0 | 1): RouteBackend =>
    routeBackend(
      `a:${port}`,
      current.map(({ id, ports }) => target(id, ports[port]?.port ?? 0)),
      'serving',
      'a',
    );
  let version = 1;
  const apply = (): Promise<void> =>
    router.apply({
      version: version++,
      routes: [route('a.test', 'a:0'), route('b.test', 'a:1')],
      backends: [backendOf(0), backendOf(1)],
      certificates: [],
    });
  await apply();
  let served = 0;
  const failed: string[] = [];
  let stop = false;
  const client = async (at: number): Promise<void> => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    while (!stop) {
      const post = at % 3 === 0;
      const answer = await send(port, at % 4 < 2 ? 'a.test' : 'b.test', at % 2 === 0 ? '/slow' : '/', {
        agent,
        method: post ? 'POST' : 'GET',
        ...(post ? { body: 'x'.repeat(2000) } : {}),
      }).catch((error: Error) => ({ status: 0, body: error.message }));
      if (answer.status === 200) served++;
      else failed.push(`${at}: ${answer.status} ${answer.body}`);
    }
    agent.destroy();
  };
  const clients = Array.from({ length: 12 }, (_, at) => client(at));
  for (let swap = 0; swap < 20; swap++) {
    const old = current;
    current = [await begin(), await begin()];
    await apply();
    const { leftInFlight } = await router.drain(
      old.map((each) => each.id),
      10_000,
    );
    assert.equal(leftInFlight, 0);
    for (const { server } of old.flatMap((each) => each.ports)) {
      server.close();
      server.closeAllConnections();
    }
    const before = served;
    await until(() => served > before + 20);
  }
  stop = true;
  await Promise.all(clients);
  assert.deepEqual(failed, []);
  assert.ok(served > 400);
});
