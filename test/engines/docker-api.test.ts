/** The transport to a Docker daemon, over a server that answers as badly as one can: limits, ends, connections that went. */
import assert from 'node:assert/strict';
import type { IncomingMessage, Server } from 'node:http';
import { createServer as createPlainServer, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { test } from 'node:test';
import { DockerApi } from '../../src/engines/docker/api/docker-api.ts';
import { DockerError } from '../../src/engines/docker/api/docker-error.ts';
import { askToBuild } from '../../src/engines/docker/images/build/build-answer.ts';
import { pruneBuildCache } from '../../src/engines/docker/images/retention/build-cache.ts';
import { run } from '../../src/lib/exec.ts';
import { until } from '../support/until.ts';
import { type Answer, daemonVersion, standInDaemon } from './support/stand-in-daemon.ts';

const isUnavailable = { kind: 'unavailable', message: /does not answer/ };

const connections = (server: Server): Promise<number> =>
  new Promise((resolve, reject) =>
    server.getConnections((error, count) => (error === null ? resolve(count) : reject(error))),
  );

test('a call: its version, query, body and type; the answer as JSON, or nothing', async (t) => {
  const { api } = await standInDaemon(t, (request, response) => {
    const { method, url, headers } = request;
    if (method === 'DELETE') return response.writeHead(204).end();
    void text(request).then((body) =>
      response.end(JSON.stringify({ method, url, type: headers['content-type'], body })),
    );
  });
  const query = { all: true, filters: { label: ['a=b'] }, absent: undefined };
  assert.deepEqual(await api.call('POST', '/things', { query, body: { Some: 'é' } }), {
    method: 'POST',
    url: '/v1.41/things?all=true&filters=%7B%22label%22%3A%5B%22a%3Db%22%5D%7D',
    type: 'application/json',
    body: '{"Some":"é"}',
  });
  const content = { type: 'application/x-tar', bytes: Readable.from(['one ', 'two']) };
  const { type, body } = await api.call<{ type: string; body: string }>('PUT', '/archive', { content });
  assert.deepEqual([type, body], ['application/x-tar', 'one two']);
  assert.equal(await api.call('DELETE', '/things/1'), undefined);
});

test('what is under way when the client lets go of the daemon is not asked again', async (t) => {
  let asked = 0;
  const { api } = await standInDaemon(t, (request, response) => {
    if (request.url?.includes('/quick') === true) return response.end('{}');
    asked += 1;
    request.resume();
  });
  // On a connection that was used before: a call on it whose connection breaks counts as one that never arrived.
  await api.call('GET', '/quick');
  const over = assert.rejects(api.call('POST', '/made', { body: {} }), isUnavailable);
  await until('it is asked', () => asked === 1);
  api.close();
  await over;
  await api.call('GET', '/quick');
  assert.equal(asked, 1);
});

test('a refusal has the status and the daemon’s words', async (t) => {
  const { api } = await standInDaemon(t, (_request, response) => {
    response.writeHead(409).end('{"message":"it is in use\\n"}');
  });
  await assert.rejects(api.call('GET', '/x'), new DockerError(409, 'it is in use'));
  await assert.rejects(api.stream('GET', '/x'), { status: 409, message: 'it is in use' });
  await assert.rejects(api.upgrade('/x'), { status: 409, message: 'it is in use' });
});

test('what a build is refused for at once is the Dockerfile’s fault, unless the daemon itself fails', async (t) => {
  const { api } = await standInDaemon(t, (request, response) => {
    const status = Number(new URL(request.url ?? '', 'http://daemon').searchParams.get('t'));
    request.resume().once('end', () => response.writeHead(status).end('{"message":"it says"}'));
  });
  const ask = (status: number) => {
    const context = Readable.from(['a tar']);
    return askToBuild(api, { context }, { t: status }, new AbortController().signal);
  };
  assert.deepEqual(await ask(400), { failed: 'it says' });
  await assert.rejects(ask(500), new DockerError(500, 'it says'));
  await assert.rejects(ask(503), new DockerError(503, 'it says'));
});

test('the version is agreed on again when another daemon came in its place', async (t) => {
  let refuses = true;
  const { api } = await standInDaemon(t, (_request, response) => {
    if (refuses) response.writeHead(400).end('{"message":"client version 1.41 is too new. Maximum supported"}');
    else response.end('{}');
  });
  const before = api.version();
  await assert.rejects(api.call('GET', '/x'), { status: 400 });
  refuses = false;
  assert.notEqual(api.version(), before);
  assert.deepEqual(await api.call('GET', '/x'), {});
});

test('each version is spoken to in its own words', async (t) => {
  for (const [ApiVersion, words] of [
    ['1.41', '/v1.41/build/prune?all=true&keep-storage=7'],
    ['1.48', '/v1.48/build/prune?all=true&reserved-space=7'],
    ['1.99', '/v1.51/build/prune?all=true&reserved-space=7'],
  ] as const) {
    const asked: unknown[] = [];
    const answer: Answer = ({ url }, response) => {
      asked.push(url);
      response.end('{"SpaceReclaimed":5}');
    };
    const { api } = await standInDaemon(t, answer, { ...daemonVersion, ApiVersion });
    assert.equal(await pruneBuildCache(api, 7), 5);
    assert.deepEqual(asked, [words]);
  }
});

test('a time limit holds for the whole answer of a call, for the head of a stream; nothing stays open', async (t) => {
  const headMs = 3_000;
  const { api, server } = await standInDaemon(t, (request, response) => {
    response.writeHead(200).flushHeaders();
    if (request.url?.includes('late')) setTimeout(() => response.end('all'), headMs + 500);
  });
  await assert.rejects(api.call('GET', '/hangs', { timeoutMs: 200 }), isUnavailable);
  const stream = await api.stream('GET', '/late', { timeoutMs: headMs });
  assert.equal(await text(stream), 'all');
  await until('no connection is busy', async () => (await connections(server)) <= 1);
});

test('an answer that is read whole has an end; one that is streamed needs none', async (t) => {
  const mebibyte = Buffer.alloc(2 ** 20, 'x');
  const { api } = await standInDaemon(t, (request, response) => {
    const count = Number.parseInt(request.url?.split('/').at(-1) ?? '', 10);
    void pipeline(Readable.from(Array.from({ length: count }, () => mebibyte)), response).catch(() => {});
  });
  assert.equal((await api.call<string>('GET', '/long/63')).length, 63 * 2 ** 20);
  await assert.rejects(api.call('GET', '/long/65'), { kind: 'unavailable', message: /more than 64 MiB/ });
  let streamed = 0;
  for await (const chunk of await api.stream('GET', '/long/65')) streamed += (chunk as Buffer).length;
  assert.equal(streamed, 65 * 2 ** 20);
});

test('no limit, and giving up: with the caller’s own reason, and the daemon hears of it', async (t) => {
  let met = 0;
  let left = 0;
  const { api } = await standInDaemon(t, (_request, response) => {
    met++;
    response.writeHead(200).flushHeaders();
    response.once('close', () => left++);
  });
  const abort = new AbortController();
  const waiting = api.call('POST', '/wait', { timeoutMs: 0, signal: abort.signal });
  const streaming = (await api.stream('GET', '/events', { signal: abort.signal })).toArray();
  const reason = new Error('enough');
  const ended = Promise.all([assert.rejects(waiting, reason), assert.rejects(streaming)]);
  await until('both are with the daemon', () => met === 2);
  abort.abort(reason);
  await ended;
  await until('both ended', () => left === 2);
  await assert.rejects(api.call('GET', '/x', { signal: abort.signal }), reason);
});

test('an answer that breaks off rejects at once', async (t) => {
  const { api } = await standInDaemon(t, (_request, response) => {
    response.writeHead(200, { 'Content-Length': '100' });
    response.write('{"half"', () => response.destroy());
  });
  await assert.rejects(api.call('GET', '/x'), isUnavailable);
  await assert.rejects(text(await api.stream('GET', '/x')));
});

test('a kept connection that the daemon closes as it is asked: asked again, but what was streamed is not', async (t) => {
  const met = new Map<Socket, number>();
  let answered = 0;
  const { api } = await standInDaemon(t, (request, response) => {
    const times = (met.get(request.socket) ?? 0) + 1;
    met.set(request.socket, times);
    if (times > 1) request.socket.destroy();
    else response.end(String(++answered));
  });
  for (const wanted of [1, 2, 3]) assert.equal(await api.call('POST', '/x', { body: {} }), wanted);
  assert.equal(met.size, 3);
  const content = { type: 'text/plain', bytes: Readable.from(['once']) };
  await assert.rejects(api.call('PUT', '/x', { content }), isUnavailable);
});

test('a source that fails or breaks off ends the call with its reason; one that is refused is let go', async (t) => {
  let whole = 0;
  const { api } = await standInDaemon(t, (request, response) => {
    if (request.url?.includes('refused')) return response.writeHead(400).end('{"message":"no"}');
    request.resume().once('end', () => {
      whole += 1;
      response.end();
    });
  });
  const send = (bytes: Readable, path = '/x') => api.call('PUT', path, { content: { type: 'text/plain', bytes } });
  const failing = new Readable({ read() {} });
  const failed = assert.rejects(send(failing), /the disk is gone/);
  failing.push('some');
  setImmediate(() => failing.destroy(new Error('the disk is gone')));
  await failed;
  const stopping = new Readable({ read() {} });
  const stopped = assert.rejects(send(stopping), /broke off/);
  stopping.push('some');
  setImmediate(() => stopping.destroy());
  await stopped;
  assert.equal(whole, 0);
  const endless = new Readable({ read: () => void endless.push(Buffer.alloc(65_536)) });
  await assert.rejects(send(endless, '/refused'), (error) => error instanceof Error);
  await until('the source is let go', () => endless.destroyed);
});

test('a connection is taken over with what came along; nothing is sent before', async (t) => {
  const { api, server } = await standInDaemon(t, () => {});
  let early = '';
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    early = `${request.headers['content-length']} ${head.toString()}`;
    socket.write('HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nfirst');
    socket.on('data', (chunk: Buffer) => socket.end(chunk.toString().toUpperCase()));
  });
  const { socket, head } = await api.upgrade('/containers/x/attach', { query: { stream: true } });
  socket.write(' said');
  assert.equal(head.toString() + (await text(socket)), 'first SAID');
  assert.equal(early, '0 ');
});

test('nobody there, somebody else there, and closing in the middle', async (t) => {
  const { api, path, server } = await standInDaemon(t, ({ url }, response) => {
    if (url?.includes('quick')) response.end('"again"');
    else response.writeHead(200).flushHeaders();
  });
  await assert.rejects(new DockerApi({ kind: 'unix', path: `${path}.not` }).call('GET', '/x'), isUnavailable);
  const plain = createPlainServer((socket) => socket.end('220 mail\r\n'));
  plain.listen(`${path}.mail`);
  t.after(() => plain.close());
  await assert.rejects(new DockerApi({ kind: 'unix', path: `${path}.mail` }).call('GET', '/x'), isUnavailable);
  const hanging = assert.rejects(api.call('GET', '/x', { timeoutMs: 0 }), isUnavailable);
  const streaming = await api.stream('GET', '/x');
  api.close();
  await hanging;
  await assert.rejects(text(streaming));
  await until('no connection is left', async () => (await connections(server)) === 0);
  assert.equal(await api.call('GET', '/quick'), 'again');
});

test('the environment’s own Docker settings change nothing; the transport is loaded with the engine only', async (t) => {
  const { path } = await standInDaemon(t, (_request, response) => response.end('"found"'));
  const at = (name: string): string => JSON.stringify(new URL(`../../src/${name}`, import.meta.url).href);
  const script = `
    const loaded = () => Object.keys(require('node:module')._cache).some((file) => file.includes('docker-modem'));
    (async () => {
      await import(${at('main/engine.ts')});
      const before = loaded();
      const { DockerApi } = await import(${at('engines/docker/api/docker-api.ts')});
      const api = new DockerApi({ kind: 'unix', path: process.argv[1] });
      console.log(before, loaded(), await api.call('GET', '/x'));
      api.close();
    })();`;
  const environment = { PATH: '/usr/bin', DOCKER_HOST: 'tcp://192.0.2.1:2376', DOCKER_CLIENT_TIMEOUT: '1' };
  const result = await run([process.execPath, '-e', script, path], { environment, timeoutMs: 60_000 });
  assert.equal(result.stdout, 'false true found\n', result.stderr);
});
