import assert from 'node:assert/strict';
import { readFile, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '../../src/lib/clock.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { createRouterClient } from '../../src/router/router-client.ts';
import { runRouter } from '../../src/router/run-router.ts';
import { get } from './support/http-requests.ts';
import {
  listen,
  oneApp,
  rawExchange,
  startBackend,
  startRouter,
  temporaryFolder,
  until,
} from './support/router-harness.ts';

test('killing workers refuses no new connection, and others take their place with the same table', async (t) => {
  const backend = await startBackend(t, (_incoming, response) => response.end('ok'));
  const { running, router, port } = await startRouter(t, { workers: 2 });
  await router.apply(oneApp(1, backend.port));
  const bytes = 'GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n';
  let refused = 0;
  let cut = 0;
  let served = 0;
  let stop = false;
  const client = async (): Promise<void> => {
    while (!stop)
      await rawExchange(port, bytes).then(
        (answer) => {
          if (answer.startsWith('HTTP/1.1 200')) served++;
          else cut++;
        },
        (error: NodeJS.ErrnoException) => {
          if (error.code === 'ECONNREFUSED') refused++;
          else cut++;
        },
      );
  };
  const clients = Array.from({ length: 4 }, client);
  const started = new Set(running.workerPids());
  for (let kill = 0; kill < 4; kill++) {
    const [pid = 0] = running.workerPids();
    process.kill(pid, 'SIGKILL');
    await until(() => !running.workerPids().includes(pid));
    const before = served;
    await until(() => served > before + 20 && running.workerPids().length === 2);
  }
  // Both at once: connections wait in the kernel for the next worker.
  for (const pid of running.workerPids()) process.kill(pid, 'SIGKILL');
  const before = served;
  await until(() => served > before + 20 && running.workerPids().length === 2);
  stop = true;
  await Promise.all(clients);
  assert.equal(refused, 0);
  // Only what a killed worker was just answering may be cut.
  assert.ok(cut <= 4 * 6, `${cut} cut`);
  assert.ok(running.workerPids().every((pid) => !started.has(pid)));
  await router.apply(oneApp(2, backend.port));
  const [counters] = await router.counters();
  assert.equal(counters?.appId, 'a');
  assert.ok((counters?.requests ?? 0) > 0);
});

test('the table survives a restart without the server, unreadable for others; older ones change nothing', async (t) => {
  const one = await startBackend(t, (_incoming, response) => response.end('one'));
  const two = await startBackend(t, (_incoming, response) => response.end('two'));
  const dataFolder = await temporaryFolder(t);
  await t.test('apply', async (inner) => {
    const { router, port } = await startRouter(inner, { dataFolder });
    await router.apply(oneApp(7, one.port));
    await router.apply(oneApp(6, two.port));
    assert.equal((await get(port, 'a.test', '/')).body, 'one');
    assert.equal((await stat(join(dataFolder, 'run', 'router.sock'))).mode & 0o777, 0o600);
  });
  await t.test('restart', async (inner) => {
    const file = join(dataFolder, 'router', 'table.json');
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    assert.equal(JSON.parse(await readFile(file, 'utf8')).version, 7);
    const { router, port } = await startRouter(inner, { dataFolder });
    assert.equal((await get(port, 'a.test', '/')).body, 'one');
    await router.apply(oneApp(6, two.port));
    assert.equal((await get(port, 'a.test', '/')).body, 'one');
    await router.apply(oneApp(8, two.port));
    assert.equal((await get(port, 'a.test', '/')).body, 'two');
  });
});

test('counters add up over workers', async (t) => {
  const backend = await startBackend(t, (incoming, response) => {
    incoming.resume();
    incoming.on('end', () => response.writeHead(incoming.url === '/bad' ? 500 : 200).end('12345'));
  });
  const { router, port } = await startRouter(t, { workers: 2 });
  await router.apply(oneApp(1, backend.port));
  await Promise.all(Array.from({ length: 20 }, (_, at) => get(port, 'a.test', at === 0 ? '/bad' : '/')));
  const [counters] = await router.counters();
  assert.equal(counters?.requests, 20);
  assert.equal(counters?.failed, 1);
  assert.deepEqual(counters?.byStatus, { 200: 19, 500: 1 });
  assert.equal(counters?.sentBytes, 100);
  assert.equal(counters?.inFlight, 0);
  assert.ok((counters?.durationSeconds ?? 0) > 0);
});

test('a router says when its port or its socket is taken, and a client when there is no router', async (t) => {
  const { dataFolder, running } = await startRouter(t);
  const options = {
    dataFolder,
    socketPath: join(dataFolder, 'run', 'router.sock'),
    httpPort: 0,
    httpsPort: null,
    workers: 1,
    logger: silentLogger,
    clock: systemClock,
    logAppender: { append: async () => {} },
  };
  await assert.rejects(runRouter(options), /running already/);
  assert.equal((await get(running.httpPort, 'a.test', '/')).status, 404);
  const blocker = createServer();
  const taken = await listen(blocker);
  t.after(() => blocker.close());
  await assert.rejects(runRouter({ ...options, httpPort: taken }), /EADDRINUSE/);
  const client = createRouterClient({ socketPath: join(dataFolder, 'nowhere.sock') });
  await assert.rejects(client.counters(), { kind: 'unavailable' });
  client.close();
});

test('a malformed table is refused with the field that is wrong', async (t) => {
  const { router } = await startRouter(t);
  const table = oneApp(1, 80);
  await assert.rejects(router.apply({ ...table, version: -1 }), { kind: 'invalid', message: /version/ });
  await assert.rejects(
    router.apply({ ...table, backends: [{ ...table.backends[0], mode: 'x' }] } as never),
    /backends\.0\.mode|mode must be/,
  );
});
