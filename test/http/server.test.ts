/** The ports of the control plane: who answers where, limits, faults, and how it closes. */
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { unauthenticated } from '../../src/core/errors.ts';
import type { Dialect } from '../../src/http/dialect.ts';
import { faultText } from '../../src/http/failure.ts';
import { createInstance, endSignal, type RequestSample } from '../../src/http/instance.ts';
import { createServer, type HttpServer, type ServerOptions } from '../../src/http/server.ts';
import { sendChunks } from '../../src/http/streaming/chunks.ts';
import { systemIds } from '../../src/lib/clock.ts';
import type { Logger } from '../../src/lib/logger.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { until } from '../support/until.ts';

function dialect(name: string, logger: Logger = silentLogger): Dialect {
  const instance = createInstance({
    name,
    logger,
    ids: systemIds,
    bodyLimitBytes: 1000,
    deadlineMs: 1_000,
    sendFailure: (reply, failure) => {
      reply.code(failure === null ? 500 : 400).send(failure?.kind ?? faultText(reply.request.id));
    },
    sendNotFound: (reply) => {
      reply.code(404).send(`${name} has nothing here`);
    },
  });
  instance.get('/who', async () => name);
  instance.get('/fault', async () => {
    throw new Error('the secret cause');
  });
  instance.post('/body', { bodyLimit: 10 }, async () => 'taken');
  instance.get('/slow', () => new Promise(() => {}));
  instance.get('/endless', async (call, reply) => {
    const signal = endSignal(call, reply);
    await sendChunks(reply, { contentType: 'text/plain', signal }, ticks(signal));
  });
  return { name, hostLabel: name, instance };
}

async function* ticks(signal: AbortSignal): AsyncIterable<string> {
  yield 'first\n';
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
}

async function serve(
  t: TestContext,
  dialects: readonly Dialect[],
  rest: Partial<ServerOptions> = {},
): Promise<{ server: HttpServer; shared: number; own: (name: string) => number }> {
  const server = createServer({
    dialects,
    baseDomain: 'berth.test',
    host: '127.0.0.1',
    ports: { shared: 0, dialects: Object.fromEntries(dialects.map(({ name }) => [name, 0])) },
    logger: silentLogger,
    ids: systemIds,
    ready: async () => [],
    metrics: async () => 'berth_up 1\n',
    metricsAccess: 'open',
    ...rest,
  });
  t.after(() => server.close());
  const addresses = await server.listen();
  return { server, shared: addresses.shared.port, own: (name) => addresses.dialects[name]?.port ?? 0 };
}

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: NodeJS.Dict<string | string[]>;
}

/** `fetch` lets nobody choose the `Host`. */
function ask(port: number, path: string, headers: Record<string, string> = {}, body?: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const method = body === undefined ? 'GET' : 'POST';
    const sent = request({ host: '127.0.0.1', port, path, headers, method, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.once('end', () => resolve({ status: response.statusCode ?? 0, text, headers: response.headers }));
      response.once('error', reject);
    });
    sent.once('error', reject);
    sent.end(body);
  });
}

test('the shared port answers for each dialect by Host, whatever its case and port, and for itself otherwise', async (t) => {
  const { shared, own } = await serve(t, [dialect('one'), dialect('two')]);
  assert.equal((await ask(shared, '/who', { host: 'one.berth.test' })).text, 'one');
  assert.equal((await ask(shared, '/who', { host: 'TWO.Berth.test.:7700' })).text, 'two');
  assert.equal((await ask(own('two'), '/who', { host: 'one.berth.test' })).text, 'two');
  assert.equal((await ask(shared, '/none', { host: 'one.berth.test' })).text, 'one has nothing here');
  assert.equal((await ask(shared, '/who', { host: 'three.berth.test' })).status, 404);
  const page = await ask(shared, '/', { host: 'berth.test:7700' });
  assert.match(page.text, /http:\/\/two\.berth\.test:7700/);
});

test('health says what is missing; metrics want an administrator', async (t) => {
  const missing = ['the router does not answer'];
  const { shared } = await serve(t, [], {
    ready: async () => missing,
    metricsAccess: async (token) => {
      if (token !== 'admin' && token !== 'member') throw unauthenticated();
      return token === 'admin';
    },
  });
  const down = await ask(shared, '/healthz');
  assert.deepEqual([down.status, JSON.parse(down.text).reasons], [503, missing]);
  missing.pop();
  assert.equal((await ask(shared, '/healthz')).status, 200);
  const metrics = async (authorization?: string): Promise<number> =>
    (await ask(shared, '/metrics', authorization === undefined ? {} : { authorization })).status;
  assert.deepEqual(
    [await metrics(), await metrics('Bearer x'), await metrics('Bearer member'), await metrics('Bearer admin')],
    [401, 401, 401, 200],
  );
});

test('a fault shows its request’s id and nothing else; the log has the cause under it', async (t) => {
  const errors: { requestId?: string; err?: Error }[] = [];
  const { own } = await serve(t, [dialect('one', { ...silentLogger, error: (fields) => void errors.push(fields) })]);
  const fault = await ask(own('one'), '/fault', { 'x-request-id': 'given-by-caller' });
  assert.deepEqual([fault.status, fault.text], [500, faultText('given-by-caller')]);
  assert.equal(fault.headers['x-request-id'], 'given-by-caller');
  assert.deepEqual(
    errors.map(({ requestId, err }) => [requestId, err?.message]),
    [['given-by-caller', 'the secret cause']],
  );
  const odd = await ask(own('one'), '/who', { 'x-request-id': 'a b{}' });
  assert.match(String(odd.headers['x-request-id']), /^[0-9a-f-]{36}$/);
});

test('bodies, headers and time have limits', async (t) => {
  const { own } = await serve(t, [dialect('one')]);
  assert.equal((await ask(own('one'), '/body', { 'content-type': 'text/plain' }, 'short')).text, 'taken');
  assert.equal((await ask(own('one'), '/body', { 'content-type': 'text/plain' }, 'x'.repeat(50))).text, 'too-large');
  assert.equal((await ask(own('one'), '/slow')).text, 'unavailable');
  assert.equal((await ask(own('one'), '/who', { 'x-large': 'x'.repeat(20_000) })).status, 431);
  assert.equal((await ask(own('one'), '/%zz')).text, 'invalid');
});

test('closing ends streams, lets answers finish and opens the ports again', async (t) => {
  const { server, own } = await serve(t, [dialect('one')]);
  const port = own('one');
  const socket = connect(port, '127.0.0.1');
  t.after(() => socket.destroy());
  let text = '';
  socket.setEncoding('utf8');
  socket.write('GET /endless HTTP/1.1\r\nhost: one\r\n\r\n');
  const begun = new Promise<void>((resolve) => {
    socket.on('data', (chunk: string) => {
      text += chunk;
      if (text.includes('first')) resolve();
    });
  });
  await begun;
  const ended = new Promise((resolve) => socket.once('close', resolve));
  await server.close();
  await ended;
  assert.ok(text.endsWith('0\r\n\r\n'), 'the stream has ended as a whole one');
  await assert.rejects(ask(port, '/who'), /ECONNREFUSED/);
});

test('what was answered is told by pattern, never by path', async (t) => {
  const samples: RequestSample[] = [];
  const { shared } = await serve(t, [], { observe: (sample) => void samples.push(sample) });
  await ask(shared, '/healthz?token=secret');
  await ask(shared, '/secret/path');
  await until('both are told of', () => samples.length === 2);
  assert.deepEqual(
    samples.map(({ dialect: name, method, route, status }) => [name, method, route, status]),
    [
      ['platform', 'GET', '/healthz', 200],
      ['platform', 'GET', '(none)', 404],
    ],
  );
});
