/** Connections that a request takes over: by `Upgrade`, by CONNECT, and by a plain request; what arrives early; bodies; ends. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { WebSocket } from 'ws';
import { BerthError } from '../../src/core/errors.ts';
import { createInstance } from '../../src/http/instance.ts';
import { createServer } from '../../src/http/server.ts';
import { endSoftly } from '../../src/http/streaming/end-softly.ts';
import { takeBody } from '../../src/http/streaming/taken-body.ts';
import { Upgrades } from '../../src/http/streaming/upgrades.ts';
import { systemIds } from '../../src/lib/clock.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { until } from '../support/until.ts';

const MAX_BYTES = 1000;

interface Served {
  readonly own: number;
  readonly shared: number;
  /** Ends the answers of `/slow`. */
  readonly release: () => void;
  readonly close: () => Promise<void>;
}

/** `/echo` takes every POST and CONNECT over: it says the body, then repeats the stream, and says `end` when that has ended. */
async function serve(t: TestContext, bodyTimeoutMs = 20_000): Promise<Served> {
  let release = (): void => {};
  const released = new Promise<string>((resolve) => {
    release = () => resolve('slow');
  });
  const instance = createInstance({
    name: 'test',
    logger: silentLogger,
    ids: systemIds,
    sendFailure: (reply, failure) => void reply.code(400).send(failure?.kind ?? 'fault'),
    sendNotFound: (reply) => void reply.code(404).send('ordinary'),
  });
  instance.get('/slow', () => released);
  instance.post('/plain', async (request) => ({ body: request.body }));
  const upgrades = new Upgrades({
    logger: silentLogger,
    statusOf: (error) => (error instanceof BerthError ? (error.kind === 'too-large' ? 413 : 400) : 500),
    webSockets: [{ path: /^\/socket$/, open: async () => () => {} }],
    raw: [
      {
        path: /^\/echo$/,
        methods: ['POST', 'CONNECT'],
        withoutUpgrade: true,
        take: async ({ raw }, socket, head) => {
          const body = await takeBody(raw, socket, head, { maxBytes: MAX_BYTES, timeoutMs: bodyTimeoutMs });
          socket.write(`HTTP/1.1 200 OK\r\n\r\n${raw.method} [${body.toString()}]`);
          socket.on('data', (chunk: Buffer) => socket.write(chunk));
          socket.once('end', () => endSoftly(socket, 'end'));
        },
      },
      {
        path: /^\/upgrade-only$/,
        methods: ['POST'],
        take: async (_request, socket) => endSoftly(socket, 'HTTP/1.1 101 Taken\r\n\r\n'),
      },
    ],
  });
  const server = createServer({
    dialects: [{ name: 'test', hostLabel: 'test', instance, upgrades }],
    baseDomain: 'berth.test',
    host: '127.0.0.1',
    ports: { shared: 0, dialects: { test: 0 } },
    logger: silentLogger,
    ids: systemIds,
    ready: async () => [],
    metrics: async () => '',
    metricsAccess: 'open',
    closeGraceMs: 100,
  });
  t.after(async () => {
    release();
    await server.close();
  });
  const { shared, dialects } = await server.listen();
  return { own: dialects.test?.port ?? 0, shared: shared.port, release, close: () => server.close() };
}

interface Line {
  readonly socket: Socket;
  readonly got: () => string;
  until(awaited: RegExp): Promise<string>;
}

function open(t: TestContext, port: number): Line {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  t.after(() => socket.destroy());
  let got = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    got += chunk;
  });
  return {
    socket,
    got: () => got,
    until: async (awaited) => {
      await until(`${JSON.stringify(got)} has ${awaited}`, () => awaited.test(got));
      return got;
    },
  };
}

const host = 'host: test.berth.test\r\n';
const upgrade = 'connection: upgrade\r\nupgrade: tcp\r\n';
/** What a parser of HTTP would take for a request. */
const tempting = 'GET /socket HTTP/1.1\r\nhost: x\r\n\r\n';

for (const [name, headers] of [
  ['without', ''],
  ['with', upgrade],
] as const) {
  test(`a POST ${name} Upgrade: early bytes, later bytes, half-close`, async (t) => {
    const { own, shared } = await serve(t);
    for (const port of [own, shared]) {
      const line = open(t, port);
      line.socket.write(`POST /echo HTTP/1.1\r\n${host}${headers}content-length: 4\r\n\r\nbody${tempting}`);
      await line.until(/POST \[body\]GET \/socket HTTP\/1\.1\r\nhost: x\r\n\r\n$/);
      line.socket.end('later');
      assert.match(await line.until(/end$/), /laterend$/, 'what comes after the client has ended its side arrives');
    }
  });

  test(`a POST ${name} Upgrade in single bytes`, async (t) => {
    const { own } = await serve(t);
    const line = open(t, own);
    line.socket.setNoDelay(true);
    const text = `POST /echo HTTP/1.1\r\n${host}${headers}transfer-encoding: chunked\r\n\r\n3;x=y\r\nbod\r\n1\r\ny\r\n0\r\na: b\r\n\r\nstdin`;
    for (const byte of text) {
      line.socket.write(byte);
      await new Promise(setImmediate);
    }
    assert.match(await line.until(/stdin$/), /POST \[body\]stdin$/);
  });
}

test('a connection that served ordinary requests can be taken over, after their answers', async (t) => {
  const { own, release } = await serve(t);
  const line = open(t, own);
  line.socket.write(`POST /plain HTTP/1.1\r\n${host}content-type: application/json\r\ncontent-length: 2\r\n\r\n{}`);
  await line.until(/\{"body":\{\}\}$/);
  line.socket.write(`GET /slow HTTP/1.1\r\n${host}\r\nPOST /echo HTTP/1.1\r\n${host}content-length: 1\r\n\r\nxstdin`);
  const other = open(t, own);
  other.socket.write(`POST /echo HTTP/1.1\r\n${host}\r\nother`);
  await other.until(/POST \[\]other$/);
  assert.doesNotMatch(line.got(), /\[x\]/, 'the answer before is not there yet');
  release();
  assert.match(await line.until(/stdin$/), /slowHTTP\/1\.1 200 OK\r\n\r\nPOST \[x\]stdin$/);
});

test('leave to send the body is given to who asks for it', async (t) => {
  const { own } = await serve(t);
  const line = open(t, own);
  line.socket.write(`POST /echo HTTP/1.1\r\n${host}expect: 100-continue\r\ncontent-length: 4\r\n\r\n`);
  await line.until(/^HTTP\/1\.1 100 Continue\r\n\r\n$/);
  line.socket.write('body');
  await line.until(/\[body\]$/);
});

test('bodies that are too large, malformed, broken off or late are refused', async (t) => {
  const { own } = await serve(t);
  const chunked = `${host}transfer-encoding: chunked\r\n\r\n`;
  const refusals: readonly [status: number, text: string][] = [
    [413, `POST /echo HTTP/1.1\r\n${host}content-length: 2000\r\n\r\n${'x'.repeat(2000)}`],
    [413, `POST /echo HTTP/1.1\r\n${chunked}7d0\r\n${'x'.repeat(2000)}`],
    [400, `POST /echo HTTP/1.1\r\n${chunked}nonsense\r\n`],
    [400, `POST /echo HTTP/1.1\r\n${chunked}1\r\nxx\r\n`],
    [400, `POST /echo HTTP/1.1\r\n${chunked}1\nx\r\n`],
    [400, `POST /echo HTTP/1.1\r\n${chunked}1;${'x'.repeat(5000)}`],
    [400, `POST /echo HTTP/1.1\r\n${host}transfer-encoding: gzip, chunked\r\n\r\n`],
  ];
  for (const [status, text] of refusals) {
    const line = open(t, own);
    line.socket.write(text);
    assert.equal(Number(/^HTTP\/1\.1 (\d+)/.exec(await line.until(/\r\n\r\n/))?.[1]), status, text.slice(0, 120));
  }
  const short = `POST /echo HTTP/1.1\r\n${host}content-length: 10\r\n\r\nshort`;
  const broken = open(t, own);
  broken.socket.end(short);
  await broken.until(/^HTTP\/1\.1 400/);
  const impatient = await serve(t, 100);
  const late = open(t, impatient.own);
  late.socket.write(short);
  await late.until(/^HTTP\/1\.1 400/);
});

test('CONNECT with a path is taken over; to anything else it is refused', async (t) => {
  const { own, shared } = await serve(t);
  for (const port of [own, shared]) {
    const line = open(t, port);
    line.socket.write(`CONNECT /echo HTTP/1.1\r\n${host}\r\n${tempting}`);
    await line.until(/CONNECT \[\]GET \/socket HTTP\/1\.1\r\nhost: x\r\n\r\n$/);
    line.socket.end();
    await line.until(/end$/);
  }
  for (const target of ['/other', 'example.com:443']) {
    const line = open(t, own);
    line.socket.write(`CONNECT ${target} HTTP/1.1\r\nhost: ${target}\r\n\r\n`);
    await line.until(/^HTTP\/1\.1 404/);
  }
  const nobody = open(t, shared);
  nobody.socket.write('CONNECT /echo HTTP/1.1\r\nhost: elsewhere\r\n\r\n');
  await once(nobody.socket, 'end');
});

test('other requests stay ordinary ones', async (t) => {
  const { own } = await serve(t);
  for (const [head, awaited] of [
    ['GET /echo', /404[\s\S]*ordinary$/],
    ['POST /upgrade-only', /404[\s\S]*ordinary$/],
    ['POST /other', /404[\s\S]*ordinary$/],
  ] as const) {
    const line = open(t, own);
    line.socket.write(`${head} HTTP/1.1\r\n${host}\r\n`);
    await line.until(awaited);
  }
  const line = open(t, own);
  line.socket.write(`POST /upgrade-only HTTP/1.1\r\n${host}${upgrade}\r\n`);
  await line.until(/^HTTP\/1\.1 101/);
});

test('a server that closes says so to WebSockets at once', async (t) => {
  const { own, close } = await serve(t);
  const socket = new WebSocket(`ws://127.0.0.1:${own}/socket`);
  await once(socket, 'open');
  const closed = once(socket, 'close');
  await close();
  assert.equal((await closed)[0], 1001);
});
