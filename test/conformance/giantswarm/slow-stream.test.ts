/** A reader of a stream of logs that does not keep up. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { WebSocket } from 'ws';
import { systemActor } from '../../../src/core/access/actor.ts';
import { LogService } from '../../../src/core/logs/log-service.ts';
import { giantSwarmDialect } from '../../../src/dialects/giantswarm/index.ts';
import { systemClock, systemIds } from '../../../src/lib/clock.ts';
import { silentLogger } from '../../../src/lib/logger.ts';
import { createLogStore, type DiskLogStore } from '../../../src/logging/log-store.ts';
import { serveCore } from '../../support/served.ts';
import { until } from '../../support/until.ts';
import { idsOf } from './running.ts';
import { type AppShape, swarmAt } from './swarm.ts';

/** Keeps all, and little for a follower. */
async function storeOf(t: TestContext): Promise<DiskLogStore> {
  const folder = await mkdtemp(join(tmpdir(), 'berth-slow-'));
  const store = createLogStore({
    folder,
    clock: systemClock,
    logger: silentLogger,
    retainBytes: 2 ** 30,
    follow: { maxLines: 500 },
  });
  t.after(async () => {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  });
  return store;
}

test('it loses the oldest lines and is told how many; all others come, in order', async (t) => {
  const { listen, core, db, tokens, parts } = await serveCore(t);
  const store = await storeOf(t);
  const context = { db, clock: parts.clock, ids: parts.ids, box: parts.box };
  const { url } = await listen(
    giantSwarmDialect({
      ...parts,
      core: { ...core, logs: new LogService(context, store) },
      settings: { defaultCluster: 'cluster.test', registryHost: 'registry.test' },
    }),
  );
  const member = swarmAt(`${url}/v1`, tokens.member);
  const component = { component_name: 'c', image: 'registry.example.com/acme/none' };
  await member('POST', '/org/acme/env/dev/app/', {
    app_name: 'chatty',
    services: [{ service_name: 's', components: [component] }],
  });
  const app = (await member('GET', '/org/acme/env/dev/app/chatty/status')).json.data as AppShape;
  const { id: appId } = await core.apps.get(systemActor, 'chatty-dev');
  const place = { source: 'app' as const, process: 's/c', instance: systemIds.id(), seat: '0-0' };
  const log = (texts: readonly string[]): Promise<void> =>
    store.append(
      `apps/${appId}`,
      texts.map((text) => ({ ...place, at: systemClock.now(), text })),
    );

  const { data: token } = (await member('POST', '/org/acme/stream/logs', { instances: idsOf(app) })).json;
  const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/org/acme/stream/logs?p=${String(token)}`);
  t.after(() => socket.terminate());
  const texts: string[] = [];
  socket.on('message', (data) => texts.push(String(data).replace(/^.* UTC {4}- \w+ +- /, '')));
  await once(socket, 'open');
  await log(['begin']);
  await until('it reads', () => texts.length === 1);

  socket.pause();
  const filler = 'x'.repeat(1000);
  const total = 40_000;
  for (let from = 0; from < total; from += 1000)
    await log(Array.from({ length: 1000 }, (_, index) => `${from + index} ${filler}`));
  socket.resume();
  await until('it has caught up', () => texts.at(-1)?.startsWith(`${total - 1} `), 60_000);
  const notices = texts.flatMap((text) => /^(\d+) lines were left out, this reader is too slow$/.exec(text)?.[1] ?? []);
  const dropped = notices.reduce((sum, count) => sum + Number(count), 0);
  const numbers = texts.flatMap((text) => /^(\d+) x/.exec(text)?.[1] ?? []).map(Number);
  assert.ok(dropped > 0, 'more was written than anybody should keep for it');
  assert.equal(numbers.length + dropped, total, 'every line was sent or counted');
  assert.deepEqual(
    numbers,
    [...numbers].sort((a, b) => a - b),
  );
});
