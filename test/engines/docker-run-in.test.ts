/** Scripts on a node, over a server that stands in for a daemon whose containers hang: nobody waits for long. */
import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { runIn } from '../../src/engines/docker/run-in.ts';
import { until } from '../support/until.ts';
import { standInDaemon } from './support/stand-in-daemon.ts';

const farMs = 600_000;

/** It takes connections over and says nothing more on them; the making of an exec hangs in a container of the name `stuck`. */
async function hangingDaemon(t: TestContext) {
  const open = new Set<Socket>();
  const { api, server } = await standInDaemon(t, ({ url = '' }, response) => {
    if (!url.includes('/stuck/')) response.end(JSON.stringify({ Id: 'one' }));
  });
  server.on('upgrade', (_request: IncomingMessage, socket: Socket) => {
    open.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => open.delete(socket));
    socket.once('end', () => socket.end());
    socket.resume();
    socket.write('HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n');
  });
  t.after(() => {
    for (const socket of open) socket.destroy();
  });
  return { api, open };
}

test('a script has a time for all of it: for what is printed, and for being begun', async (t) => {
  const { api, open } = await hangingDaemon(t);
  const late = { kind: 'unavailable', message: /does not end/ };
  await assert.rejects(runIn({ api, container: 'helper', limitMs: 300 }, 'true'), late);
  await until('its connection is let go', () => open.size === 0);
  await assert.rejects(runIn({ api, container: 'stuck', limitMs: 300 }, 'true'), late);
});

test('whoever gives up, and a daemon that is lost, end a script that hangs', async (t) => {
  const { api, open } = await hangingDaemon(t);
  const giveUp = new AbortController();
  const reason = new Error('enough');
  const given = assert.rejects(
    runIn({ api, container: 'helper', limitMs: farMs, signal: giveUp.signal }, 'true'),
    reason,
  );
  await until('it is with the daemon', () => open.size === 1);
  giveUp.abort(reason);
  await given;
  await until('its connection is let go', () => open.size === 0);
  const lost = assert.rejects(runIn({ api, container: 'helper', limitMs: farMs }, 'true'), { kind: 'unavailable' });
  const { socket } = await api.upgrade('/containers/one/attach');
  await until('both are with the daemon', () => open.size === 2);
  // The daemon is only let go of: what a person has open goes on.
  api.close();
  assert.equal(socket.destroyed, false);
  api.lose();
  await lost;
  await until('no connection is left', () => open.size === 0);
  assert.ok(socket.destroyed);
});
