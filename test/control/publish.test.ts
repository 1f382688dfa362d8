import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Retirement } from '../../src/control/reconciler/retire.ts';
import { RoutingPublisher } from '../../src/control/routing.ts';
import type { App } from '../../src/core/apps/app.ts';
import { linkTarget } from '../../src/core/instances/link-target.ts';
import type { ProcessType } from '../../src/core/names.ts';
import type { Database } from '../../src/core/ports/database.ts';
import type { LinkRoute } from '../../src/core/ports/engine.ts';
import type { Router } from '../../src/core/ports/router.ts';
import { SimulatedEngine } from '../../src/engines/simulated/simulated-engine.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { get } from '../router/support/http-requests.ts';
import { startRouter } from '../router/support/router-harness.ts';
import { ground, id, insertedApp, process, size } from '../store/nouns.ts';
import { testDatabase } from '../support/postgres.ts';
import { until } from '../support/until.ts';
import { domain, instance } from './routing-rows.ts';

interface Scene {
  readonly app: App;
  readonly db: Database;
  readonly engine: SimulatedEngine;
  readonly router: Router;
  /** The first word is the app's handle, then the process type and the instance that answered; or the status. */
  ask(host: string): Promise<string>;
}

/** An app with a web process that links to `svc/db`, and a domain for that one's port, over real parts; nothing runs yet. */
async function scene(t: TestContext): Promise<Scene> {
  const { db } = await testDatabase(t);
  const engine = new SimulatedEngine({ clock: systemClock, logAppender: { append: async () => {} } });
  t.after(() => engine.close());
  const { router, port } = await startRouter(t);
  const app = await insertedApp(db, await ground(db));
  const small = size();
  await db.sizes.insert(small);
  const type = 'svc/db' as ProcessType;
  const alone = { pod: null, mounts: [], image: null };
  await db.processes.insert(process(app.id, small.id, alone));
  await db.processes.insert(process(app.id, small.id, { ...alone, type, ports: [6379], routed: false, links: [] }));
  await db.domains.insert(domain(app.id, 'data.test', { processType: type, port: 6379 }));
  const ask = async (host: string): Promise<string> => {
    const { status, body } = await get(port, host, '/');
    return status === 200 ? body.trim() : String(status);
  };
  return { app, db, engine, router, ask };
}

/** Runs an instance and writes its row; gives its id and where it is. */
async function run(
  { app, db, engine }: Scene,
  processType: string,
): Promise<{ id: string; host: string; port: number }> {
  const spec = {
    id: id(),
    kind: 'process',
    appId: app.id,
    appHandle: app.handle,
    spaceId: app.spaceId,
    processType,
    generation: 'g',
    artifactDigest: 'sha256:a',
    command: 'serve',
    environment: {},
    ports: 'any',
    limits: { memoryBytes: 2 ** 20, cpuShares: 1024, pids: 10 },
    graceMs: 100,
  } as const;
  await engine.start(spec);
  const address = await until('it has an address', async () => {
    return (await engine.list()).find((each) => each.id === spec.id)?.address;
  });
  await db.instances.insert(instance(spec.id, app.id, processType, `${address.host}:${address.port}`));
  return { id: spec.id, ...address };
}

const linkTo = ({ app }: Scene, ...backends: readonly { host: string; port: number }[]): readonly LinkRoute[] => [
  {
    target: linkTarget(app.id, 'svc/db'),
    spaceId: app.spaceId,
    port: 6379,
    backends: backends.map(({ host, port }) => ({ host, port })),
  },
];

test('hosts reach the processes that they name, links theirs, and a retirement takes an instance out of both first', async (t) => {
  const stage = await scene(t);
  const { app, db, engine, router, ask } = stage;
  const web = await run(stage, 'web');
  const [one, other] = (await Promise.all([run(stage, 'svc/db'), run(stage, 'svc/db')])).toSorted((a, b) =>
    a.id < b.id ? -1 : 1,
  );
  assert.ok(one !== undefined && other !== undefined);
  const linksAtDrain: (readonly LinkRoute[])[] = [];
  const answersAtDrain: string[] = [];
  const watched: Router = {
    apply: (table) => router.apply(table),
    counters: () => router.counters(),
    drain: async (ids, timeoutMs) => {
      linksAtDrain.push(engine.links);
      for (let count = 0; count < 4; count += 1) answersAtDrain.push(await ask('data.test'));
      return router.drain(ids, timeoutMs);
    },
  };
  const context = { db, clock: systemClock, router: watched, engine, logger: silentLogger };
  const publisher = new RoutingPublisher(context, 'berth.test');
  await publisher.publish();
  const home = `${app.handle}.berth.test`;
  assert.deepEqual(
    new Set(await Promise.all([ask(home), ask(home), ask(home), ask(home)])),
    new Set([`${app.handle} web ${web.id}`]),
  );
  assert.deepEqual(
    new Set(await Promise.all([ask('data.test'), ask('data.test')])),
    new Set([one, other].map((each) => `${app.handle} svc/db ${each.id}`)),
  );
  assert.deepEqual(engine.links, linkTo(stage, one, other));

  const limits = { drainTimeoutMs: 5_000, graceMs: 100 };
  const ended: string[] = [];
  const retirement = new Retirement({ ...context, limits }, publisher, (appId) => ended.push(appId));
  await retirement.begin(app.id, [one.id]);
  await until('the instance is retired', () => ended.length === 1);
  assert.deepEqual(linksAtDrain, [linkTo(stage, other)]);
  assert.deepEqual(new Set(answersAtDrain), new Set([`${app.handle} svc/db ${other.id}`]));
  assert.deepEqual((await engine.list()).map((each) => each.id).sort(), [web.id, other.id].sort());
});

test('the router is told though the engine is down, and the engine as soon as it is back', async (t) => {
  const stage = await scene(t);
  const { app, db, engine, router, ask } = stage;
  const database = await run(stage, 'svc/db');
  let down = true;
  const routeLinks = async (routes: readonly LinkRoute[]): Promise<void> => {
    if (down) throw new Error('down');
    await engine.routeLinks(routes);
  };
  const publisher = new RoutingPublisher(
    { db, clock: systemClock, router, engine: { routeLinks }, logger: silentLogger },
    'berth.test',
  );
  await assert.rejects(publisher.publish(), /down/);
  assert.equal(await ask('data.test'), `${app.handle} svc/db ${database.id}`);
  assert.equal(await ask(`${app.handle}.berth.test`), '503');
  assert.deepEqual(engine.links, []);
  down = false;
  await publisher.settle();
  assert.deepEqual(engine.links, linkTo(stage, database));
  // Nothing is owed to anybody now.
  down = true;
  await publisher.settle();
});
