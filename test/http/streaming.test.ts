/** Streams at the reader's pace, event encoding, and upgrades. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { WebSocket } from 'ws';
import { BerthError, unauthenticated } from '../../src/core/errors.ts';
import { createInstance, endSignal } from '../../src/http/instance.ts';
import { defaultLimits, NodeServer, type Responder } from '../../src/http/node-server.ts';
import { sendChunks } from '../../src/http/streaming/chunks.ts';
import { ndjson, ndjsonType } from '../../src/http/streaming/ndjson.ts';
import { encodeEvent } from '../../src/http/streaming/server-sent-events.ts';
import { Upgrades } from '../../src/http/streaming/upgrades.ts';
import { systemIds } from '../../src/lib/clock.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { until } from '../support/until.ts';

const newInstance = () =>
  createInstance({
    name: 'test',
    logger: silentLogger,
    ids: systemIds,
    sendFailure: (reply) => {
      reply.code(500).send('failed');
    },
    sendNotFound: (reply) => {
      reply.code(404).send('ordinary');
    },
  });

async function listen(t: TestContext, responder: Responder): Promise<number> {
  const server = new NodeServer(() => responder, defaultLimits);
  t.after(() => server.close(0));
  return ((await server.listen(0, '127.0.0.1')) satisfies Pick<AddressInfo, 'port'>).port;
}

test('a slow reader slows its source, and one that leaves ends it', async (t) => {
  const instance = newInstance();
  t.after(() => instance.close());
  let made = 0;
  let ended = false;
  async function* endless(): AsyncIterable<unknown> {
    try {
      for (;;) {
        made += 1;
        yield { text: 'x'.repeat(64 * 1024) };
      }
    } finally {
      ended = true;
    }
  }
  instance.get('/', async (request, reply) => {
    await sendChunks(reply, { contentType: ndjsonType, signal: endSignal(request, reply) }, ndjson(endless()));
  });
  await instance.ready();
  const port = await listen(t, { handle: (request, response) => instance.routing(request, response) });
  const socket = connect(port, '127.0.0.1');
  socket.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
  await once(socket, 'readable');
  let before = -1;
  await until(
    'the source stands still',
    () => {
      const still = made === before;
      before = made;
      return still;
    },
    10_000,
    100,
  );
  assert.ok(made < 500, `${made} chunks were made for a reader that reads nothing`);
  socket.destroy();
  await until('the source has ended', () => ended);
});

test('events: line breaks become data lines, and no field breaks out of its own', () => {
  assert.equal(encodeEvent({ data: 'a\r\nb\nc' }), 'data: a\ndata: b\ndata: c\n\n');
  assert.equal(encodeEvent({ data: '', event: 'x\ndata: y', id: '1\n' }), 'event: xdata: y\nid: 1\ndata: \n\n');
});

test('upgrades: web sockets and raw streams go to their routes, refusals say why, others are ordinary requests', async (t) => {
  const instance = newInstance();
  t.after(() => instance.close());
  await instance.ready();
  const upgrades = new Upgrades({
    logger: silentLogger,
    statusOf: (error) => (error instanceof BerthError && error.kind === 'unauthenticated' ? 401 : 500),
    webSockets: [
      {
        path: /^\/echo\/(?<name>[^/]+)$/,
        open: async ({ raw, params }) => {
          if (raw.headers.authorization !== 'yes') throw unauthenticated();
          return (socket) => void socket.on('message', (data) => socket.send(`${params.name}: ${data}`));
        },
      },
    ],
    raw: [
      {
        path: /^\/attach$/,
        methods: ['POST'],
        take: async (_request, socket, head) => {
          socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: tcp\r\n\r\n');
          socket.write(head);
          socket.pipe(socket);
        },
      },
    ],
  });
  const port = await listen(t, { handle: (request, response) => instance.routing(request, response), upgrades });

  const socket = new WebSocket(`ws://127.0.0.1:${port}/echo/a%20b`, { headers: { authorization: 'yes' } });
  await once(socket, 'open');
  socket.send('hello');
  assert.equal(String((await once(socket, 'message'))[0]), 'a b: hello');
  socket.terminate();
  const refused = new WebSocket(`ws://127.0.0.1:${port}/echo/a`);
  assert.match(String((await once(refused, 'error'))[0]), /401/);

  const raw = async (text: string, awaited: RegExp): Promise<string> => {
    const plain = connect(port, '127.0.0.1');
    t.after(() => plain.destroy());
    let got = '';
    plain.setEncoding('utf8').on('data', (chunk: string) => {
      got += chunk;
    });
    plain.write(text);
    await until(`the answer is ${awaited}`, () => awaited.test(got));
    return got;
  };
  const upgrade = 'host: a\r\nconnection: upgrade\r\nupgrade: tcp\r\n\r\n';
  assert.match(await raw(`POST /attach HTTP/1.1\r\n${upgrade}early`, /early$/), /^HTTP\/1\.1 101/);
  assert.match(await raw(`GET /other HTTP/1.1\r\n${upgrade}`, /ordinary$/), /^HTTP\/1\.1 404/);
});
