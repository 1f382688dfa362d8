import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Id } from '../../src/core/names.ts';
import type { Stores } from '../../src/core/ports/database.ts';
import { testDatabase, withClient } from '../support/postgres.ts';
import { until } from '../support/until.ts';
import { event, ground, id, insertedApp, later, operation, user } from './nouns.ts';

test('of 20 claimers at once no two get the same operation, and the oldest go first', async (t) => {
  const { db } = await testDatabase(t, 20);
  const queued = Array.from({ length: 60 }, (_, n) => operation({ createdAt: new Date(later.getTime() + n) }));
  for (const one of queued) await db.operations.insert(one);
  await db.operations.insert(operation({ kind: 'deploy' }));
  const first = await db.operations.claim('build', 'first', 60_000);
  assert.equal(first?.id, queued[0]?.id);
  assert.deepEqual([first?.status, first?.attempts], ['running', 1]);
  const taken = await Promise.all(
    Array.from({ length: 20 }, async (_, holder) => {
      const mine: string[] = [];
      for (;;) {
        const one = await db.operations.claim('build', `holder ${holder}`, 60_000);
        if (one === null) return mine;
        mine.push(one.id);
      }
    }),
  );
  const all = taken.flat();
  assert.equal(all.length, 59);
  assert.equal(new Set(all).size, 59);
});

test('a lease that runs out is taken over, and the first holder can no longer finish', async (t) => {
  const { db } = await testDatabase(t);
  const one = operation();
  await db.operations.insert(one);
  assert.ok(await db.operations.claim('build', 'a', 60_000));
  assert.equal(await db.operations.claim('build', 'b', 60_000), null);
  assert.deepEqual(await db.operations.heartbeat(one.id, 'a', 30), { held: true, cancelRequested: false });
  const taken = await until('the lease ran out', () => db.operations.claim('build', 'b', 60_000));
  assert.deepEqual([taken.id, taken.attempts], [one.id, 2]);
  assert.deepEqual(await db.operations.heartbeat(one.id, 'a', 60_000), { held: false, cancelRequested: false });
  assert.equal(await db.operations.finish(one.id, 'a', 'succeeded', null), false);
  assert.equal(await db.operations.finish(one.id, null, 'succeeded', null), false);
  assert.equal(await db.operations.finish(one.id, 'b', 'failed', 'why'), true);
  assert.equal(await db.operations.finish(one.id, 'b', 'succeeded', null), false);
  const ended = await db.operations.find(one.id);
  assert.deepEqual([ended?.status, ended?.error], ['failed', 'why']);
  assert.ok(ended?.finishedAt);
});

test('a cancel ends what is queued and tells the holder of what runs', async (t) => {
  const { db } = await testDatabase(t);
  const [queued, running] = [operation(), operation({ kind: 'deploy', subjectId: id() })];
  for (const one of [queued, running]) await db.operations.insert(one);
  assert.equal(await db.operations.requestCancel(queued.id), 'cancelled');
  assert.equal(await db.operations.claim('build', 'a', 60_000), null);
  await db.operations.claim('deploy', 'a', 60_000);
  assert.equal(await db.operations.requestCancel(running.id), 'running');
  assert.deepEqual(await db.operations.heartbeat(running.id, 'a', 60_000), { held: true, cancelRequested: true });
  assert.ok(await db.operations.finish(running.id, 'a', 'cancelled', null));
  assert.equal(await db.operations.requestCancel(running.id), 'cancelled');
  assert.equal(await db.operations.requestCancel(id()), null);
  assert.equal((await db.operations.findBySubject(running.subjectId as Id))?.id, running.id);
});

test('open work of an app is ended without a lease, and old work goes', async (t) => {
  const { db } = await testDatabase(t);
  const appId = id();
  const [scale, deploy] = [operation({ appId, kind: 'scale' }), operation({ appId, kind: 'deploy', createdAt: later })];
  for (const one of [deploy, scale]) await db.operations.insert(one);
  assert.deepEqual(await db.operations.open(appId, ['scale', 'deploy']), [scale, deploy]);
  assert.deepEqual(await db.operations.open(appId, ['delete']), []);
  assert.ok(await db.operations.finish(scale.id, null, 'succeeded', null));
  assert.deepEqual(await db.operations.open(appId, ['scale', 'deploy']), [deploy]);
  const { finishedAt } = (await db.operations.find(scale.id)) ?? {};
  assert.ok(finishedAt);
  assert.equal(await db.operations.removeFinishedBefore(finishedAt), 0);
  assert.equal(await db.operations.removeFinishedBefore(new Date(finishedAt.getTime() + 1)), 1);
});

test('a named lease has one holder, who may prolong it; it is taken over when it runs out', async (t) => {
  const { db } = await testDatabase(t, 10);
  const got = await Promise.all(
    Array.from({ length: 10 }, (_, n) => db.leases.acquire('reconcile/x', `h${n}`, 60_000)),
  );
  assert.equal(got.filter(Boolean).length, 1);
  const holder = `h${got.indexOf(true)}`;
  assert.ok(await db.leases.acquire('reconcile/x', holder, 20));
  await until('it ran out', () => db.leases.acquire('reconcile/x', 'other', 60_000));
  await db.leases.release('reconcile/x', holder);
  assert.equal(await db.leases.acquire('reconcile/x', holder, 60_000), false, 'a late release frees nothing');
  await db.leases.release('reconcile/x', 'other');
  assert.ok(await db.leases.acquire('reconcile/x', holder, 60_000));
});

test('events: newest first by filter, pages, retention', async (t) => {
  const { db } = await testDatabase(t);
  const [appId, spaceId] = [id(), id()];
  const made = Array.from({ length: 9 }, (_, n) =>
    event(n % 3 === 0 ? { appId, kind: 'AppUpdated', at: later } : { spaceId, actorName: 'zoë' }),
  );
  for (const one of made) await db.events.append(one);
  const { items } = await db.events.list({}, { limit: 100 });
  assert.deepEqual(
    items.map(({ sequence: _, ...rest }) => rest),
    [...made].reverse(),
  );
  const ids = async (filter: Parameters<typeof db.events.list>[0]) =>
    (await db.events.list(filter, { limit: 100 })).items.map((one) => made.findIndex(({ id }) => id === one.id));
  assert.deepEqual(await ids({ appId }), [6, 3, 0]);
  assert.deepEqual(await ids({ spaceId, actorName: 'zoë' }), [8, 7, 5, 4, 2, 1]);
  assert.deepEqual(await ids({ kinds: ['AppUpdated'] }), [6, 3, 0]);
  const page = await db.events.list({}, { limit: 5 });
  await db.events.append(event());
  const rest = await db.events.list({}, { limit: 5, after: page.next ?? '' });
  assert.deepEqual([...page.items, ...rest.items], items);
  assert.equal(await db.events.removeBefore(later), 7);
});

test('the outbox steps over no event that commits late', async (t) => {
  const { db } = await testDatabase(t, 6);
  const seen: string[] = [];
  let last = 0;
  const drain = async (): Promise<void> => {
    for (const one of await db.events.after(last, 100)) {
      seen.push(one.id);
      last = one.sequence;
    }
  };
  const [slow, quick] = [event(), event()];
  const { promise: go, resolve: release } = Promise.withResolvers<void>();
  const { promise: appended, resolve: tell } = Promise.withResolvers<void>();
  const open = db.transaction(async (stores) => {
    await stores.events.append(slow);
    tell();
    await go;
  });
  await appended;
  await db.events.append(quick);
  await drain().finally(release);
  assert.deepEqual(seen, [], 'the quick one waits for the slow one, which comes before it');
  await open;
  await drain();
  assert.deepEqual(seen, [slow.id, quick.id]);

  // And with many writers, some of which roll back, a reader that never looks back misses none.
  const kept: string[] = [];
  let writing = true;
  const writers = Promise.all(
    Array.from({ length: 4 }, async (_, writer) => {
      for (let n = 0; n < 40; n += 1) {
        const one = event();
        const work = async (stores: Stores): Promise<void> => {
          await stores.events.append(one);
          if (n % 7 === writer) throw new Error('rolled back');
        };
        await db.transaction(work).then(
          () => kept.push(one.id),
          () => {},
        );
      }
    }),
  ).finally(() => {
    writing = false;
  });
  while (writing) await drain();
  await writers;
  await drain();
  assert.deepEqual(seen.slice(2).sort(), kept.sort());
});

test('a transaction is all or nothing, and is done again after a deadlock', async (t) => {
  const { db } = await testDatabase(t);
  const on = await ground(db);
  const [a, b] = [await insertedApp(db, on), await insertedApp(db, on)];
  await assert.rejects(
    db.transaction(async (stores) => {
      await stores.users.insert(user());
      throw new Error('no');
    }),
    /^Error: no$/,
  );
  assert.equal(await db.users.count(), 0);
  let runs = 0;
  let arrived = 0;
  const { promise: both, resolve: meet } = Promise.withResolvers<void>();
  const lockBoth = (first: string, second: string) =>
    db.transaction(async (stores) => {
      runs += 1;
      await stores.apps.lock(first);
      arrived += 1;
      if (arrived === 2) meet();
      await both;
      await stores.apps.lock(second);
      await stores.events.append(event());
    });
  await Promise.all([lockBoth(a.id, b.id), lockBoth(b.id, a.id)]);
  assert.equal(runs, 3);
  assert.equal((await db.events.list({}, { limit: 10 })).items.length, 2);
});

test('wakes are heard after the commit only, by every listener, and again after the connection was lost', async (t) => {
  const { db, connection } = await testDatabase(t);
  const heard: string[] = [];
  db.onWake(() => {
    throw new Error('a listener that fails harms no other');
  });
  const stop = db.onWake((topic, subject) => heard.push(`${topic}:${subject}`));
  await db.wake('app', 'plain');
  await until('the first', () => heard.includes('app:plain'));
  await db.transaction(async (stores) => {
    await stores.wake('event', 'inside');
    await db.wake('app', 'meanwhile');
    await until('another one', () => heard.includes('app:meanwhile'));
    assert.ok(!heard.includes('event:inside'));
  });
  await until('the one inside', () => heard.includes('event:inside'));
  await db
    .transaction(async (stores) => {
      await stores.wake('app', 'rolled back');
      throw new Error('no');
    })
    .catch(() => {});
  heard.length = 0;
  await withClient(connection, (client) =>
    client.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and query like 'listen%'`,
    ),
  );
  await until('all are woken', () =>
    ['app:*', 'operation:*', 'event:*', 'routing:*'].every((all) => heard.includes(all)),
  );
  await db.wake('routing', 'a:b');
  await until('the next', () => heard.includes('routing:a:b'));
  assert.ok(!heard.includes('app:rolled back'));
  stop();
  await db.wake('routing', 'unheard');
  await db.ping();
  assert.ok(!heard.includes('routing:unheard'));
});
