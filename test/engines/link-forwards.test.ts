import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { LinkTable } from '../../src/engines/common/link-table.ts';
import { LinkForwards } from '../../src/engines/process/link-forwards.ts';
import { Ports } from '../../src/engines/process/ports.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { until } from '../support/until.ts';

interface Backend {
  readonly host: string;
  readonly port: number;
  readonly open: Set<Socket>;
}

/** Says its name to whoever connects, then echoes. */
async function backend(t: TestContext, name: string): Promise<Backend> {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => open.delete(socket));
    socket.write(name);
    socket.pipe(socket);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  t.after(() => {
    server.close();
    for (const socket of open) socket.destroy();
  });
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port, open };
}

/** The first words of whoever answers, with the connection; null when it is refused. */
function dial(t: TestContext, port: number): Promise<{ text: string; socket: Socket } | null> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    t.after(() => socket.destroy());
    socket.once('data', (bytes) => resolve({ text: String(bytes), socket }));
    socket.on('error', () => resolve(null));
    socket.once('close', () => resolve(null));
  });
}

function fixture(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'berth-forwards-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'forwards.json');
  const open = () => {
    const forwards = new LinkForwards({
      path,
      ports: new Ports({ first: 21_000, last: 21_999 }, process.pid),
      table: new LinkTable(join(folder, 'links.json')),
      logger: silentLogger,
    });
    t.after(() => forwards.close());
    return forwards;
  };
  const route = (...backends: readonly Backend[]) => [
    { target: 'app/db', spaceId: 's', port: 5432, backends: backends.map(({ host, port }) => ({ host, port })) },
  ];
  return { open, route, path };
}

test('connections go to the backend with the fewest, and stay when it leaves the table', async (t) => {
  const { open, route } = fixture(t);
  const forwards = open();
  const [one, two] = [await backend(t, 'one'), await backend(t, 'two')];
  const { port } = await forwards.place('s', 'app/db', 5432);
  assert.equal(await dial(t, port), null);
  await forwards.route(route(one, two));
  const dialled = [await dial(t, port), await dial(t, port), await dial(t, port), await dial(t, port)];
  assert.deepEqual(dialled.map((each) => each?.text).sort(), ['one', 'one', 'two', 'two']);
  assert.deepEqual([one.open.size, two.open.size], [2, 2]);
  // A connection counts until both of its sides are closed.
  const ended = dialled.flatMap((each) => (each?.text === 'two' ? [once(each.socket, 'close')] : []));
  for (const each of dialled) if (each?.text === 'two') each.socket.end();
  await until('two to be free', () => two.open.size === 0);
  await Promise.all(ended);
  assert.deepEqual([(await dial(t, port))?.text, (await dial(t, port))?.text], ['two', 'two']);
  await forwards.route(route());
  assert.equal(await dial(t, port), null);
  const kept = dialled.find((each) => each?.text === 'one')?.socket;
  const echoed = new Promise((resolve) => kept?.once('data', (bytes) => resolve(String(bytes))));
  kept?.write('still here');
  assert.equal(await echoed, 'still here');
});

test('a backend that is gone is passed over; with none left the connection is reset', async (t) => {
  const { open, route } = fixture(t);
  const forwards = open();
  const gone = { host: '127.0.0.1', port: 1, open: new Set<Socket>() };
  const one = await backend(t, 'one');
  const { port } = await forwards.place('s', 'app/db', 5432);
  await forwards.route(route(gone, one));
  assert.deepEqual([(await dial(t, port))?.text, (await dial(t, port))?.text], ['one', 'one']);
  await forwards.route(route(gone));
  assert.equal(await dial(t, port), null);
});

test('the port outlives the agent, and is given back when nobody needs it', async (t) => {
  const { open, route, path } = fixture(t);
  const one = await backend(t, 'one');
  const first = open();
  await first.route(route(one));
  const [{ port }, same] = await Promise.all([first.place('s', 'app/db', 5432), first.place('s', 'app/db', 5432)]);
  assert.equal(same.port, port);
  assert.notEqual((await first.place('other', 'app/db', 5432)).port, port);
  await first.close();
  const second = open();
  await second.restore();
  assert.equal((await dial(t, port))?.text, 'one');
  assert.equal((await second.place('s', 'app/db', 5432)).port, port);
  await second.route([]);
  second.prune(() => false);
  assert.deepEqual(JSON.parse(readFileSync(path, 'utf8')), {});
});

test('a backend that is no address is refused, and the table stays', async (t) => {
  const { open, route } = fixture(t);
  const forwards = open();
  const one = await backend(t, 'one');
  await forwards.route(route(one));
  for (const bad of [
    { host: '1.2.3.4 -j ACCEPT', port: 1 },
    { host: '::1', port: 1 },
    { host: '1.2.3.4', port: 0 },
  ]) {
    await assert.rejects(forwards.route(route({ ...bad, open: new Set() })), { kind: 'invalid' });
  }
  const { port } = await forwards.place('s', 'app/db', 5432);
  assert.equal((await dial(t, port))?.text, 'one');
});
