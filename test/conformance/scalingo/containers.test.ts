/** Container types and containers, scale, restart, operations. Nothing works on operations here, so they stay where they are. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { shortId } from '../../../src/core/names.ts';
import { Secret } from '../../../src/core/ports/secret.ts';
import { runInstance } from '../../security/running-instance.ts';
import { finishBuild, servedForSuite } from './served.ts';

interface Container {
  readonly id: string;
  readonly name: string;
  readonly amount: number;
  readonly size: string;
  readonly command: string;
}

const errorsOf = (answer: { json<T>(): T }): Record<string, string[]> =>
  answer.json<{ errors: Record<string, string[]> }>().errors;
const containersOf = (answer: { json<T>(): T }): readonly Container[] =>
  answer.json<{ containers: readonly Container[] }>().containers;
const brief = (containers: readonly Container[]) => containers.map(({ name, amount, size }) => [name, amount, size]);

suite('containers', () => {
  const { get, person } = servedForSuite();

  async function withApp(name: string) {
    const owner = await person();
    const answer = await owner.send('POST', '/apps', { app: { name } });
    assert.equal(answer.status, 201, answer.text);
    const { uuid } = answer.json<{ app: { uuid: string } }>().app;
    const { db, core } = get();
    /** Ends what a request began, as the reconciler does when it runs. */
    const settle = async (): Promise<void> => {
      for (const { id } of await db.operations.open(uuid, ['scale', 'restart', 'deploy']))
        await db.operations.finish(id, null, 'succeeded', null);
    };
    /** Builds and releases something with a web and a worker, and runs one web. Gives that instance's id. */
    async function deployed(): Promise<string> {
      const actor = await core.authenticator.byToken(owner.token);
      const source = { kind: 'archive', url: new Secret('data:,x'), checksum: null } as const;
      const { id: build } = await core.builds.create(actor, uuid, { source });
      await finishBuild(db, build);
      const release = await core.releases.deploy(actor, uuid, build);
      const now = new Date();
      await db.releases.advance(release.id, ['pending'], { status: 'succeeded', updatedAt: now });
      await db.apps.update(uuid, { currentReleaseId: release.id, releasedAt: now });
      await settle();
      return runInstance(get(), { id: uuid, releaseId: release.id, type: 'web' });
    }
    const statusOf = async (): Promise<string> =>
      (await owner.send('GET', `/apps/${name}`)).json<{ app: { status: string } }>().app.status;
    return { ...owner, uuid, path: `/apps/${name}`, settle, deployed, statusOf };
  }

  test('a new app has one web container of the usual size, once it is deployed every type of the release', async () => {
    const { send, path, deployed } = await withApp('formation');
    assert.deepEqual(brief(containersOf(await send('GET', `${path}/containers`))), [['web', 1, 'M']]);
    await deployed();
    const types = containersOf(await send('GET', `${path}/containers`));
    assert.deepEqual(brief(types), [
      ['web', 1, 'M'],
      ['worker', 0, 'M'],
    ]);
    assert.deepEqual(
      types.map(({ command }) => command),
      ['node web.js', 'node worker.js'],
    );
    for (const { id } of types) assert.match(id, /^[0-9a-f]{24}$/);
  });

  test('scaling: 202, the whole formation, and where its operation is', async () => {
    const { send, path, deployed, settle, uuid } = await withApp('scaling-app');
    await deployed();
    const body = {
      containers: [
        { id: '', app_id: '', name: 'web', amount: 2, command: '', size: 'L' },
        { id: '', app_id: '', name: 'worker', amount: 1, command: '', size: '' },
      ],
    };
    const answer = await send('POST', `${path}/scale`, body);
    assert.equal(answer.status, 202, answer.text);
    assert.deepEqual(brief(containersOf(answer)), [
      ['web', 2, 'L'],
      ['worker', 1, 'M'],
    ]);
    const location = new URL(answer.headers.get('location') ?? '');
    assert.equal(location.origin, get().url);
    const id = location.pathname.split('/').at(-1) ?? '';
    assert.match(id, /^[0-9a-f]{24}$/);
    const read = async (): Promise<Record<string, unknown>> =>
      (await send('GET', location.pathname.slice('/v1'.length))).json<{ operation: Record<string, unknown> }>()
        .operation;
    const pending = await read();
    assert.deepEqual([pending.id, pending.type, pending.status], [id, 'scale', 'pending']);
    assert.equal('finished_at' in pending, false, 'the oldest clients cannot read a null date');
    const { db } = get();
    const [open] = await db.operations.open(uuid, ['scale']);
    await db.operations.begin([open?.id ?? '']);
    assert.equal((await read()).status, 'running');
    await settle();
    const done = await read();
    assert.equal(done.status, 'done');
    assert.ok(Date.parse(String(done.finished_at)) >= Date.parse(String(done.created_at)));
    const stored = await db.processes.list(uuid);
    assert.deepEqual(
      stored.map(({ type, quantity }) => [type, quantity]),
      [
        ['web', 2],
        ['worker', 1],
      ],
    );
    const keep = await send('POST', `${path}/scale`, { containers: [{ name: 'web', amount: 0, size: '' }] });
    assert.deepEqual(brief(containersOf(keep))[0], ['web', 0, 'L']);
  });

  test('an operation that failed says why', async () => {
    const { send, path, uuid } = await withApp('failing-app');
    const answer = await send('POST', `${path}/scale`, { containers: [{ name: 'web', amount: 3 }] });
    const { db } = get();
    const [open] = await db.operations.open(uuid, ['scale']);
    await db.operations.finish(open?.id ?? '', null, 'failed', 'crashed: exited with status 1');
    const shown = await send('GET', new URL(answer.headers.get('location') ?? '').pathname.slice('/v1'.length));
    const { operation } = shown.json<{ operation: Record<string, unknown> }>();
    assert.deepEqual([operation.status, operation.error], ['error', 'crashed: exited with status 1']);
  });

  test('what cannot be scaled so, and nothing of it is done', async () => {
    const { send, path } = await withApp('unscalable');
    const scale = (...containers: unknown[]) => send('POST', `${path}/scale`, { containers });
    const unknown = await scale({ name: 'nothing', amount: 1 });
    assert.deepEqual([unknown.status, unknown.json()], [404, { resource: 'container_type', error: 'not found' }]);
    const cases: readonly (readonly [unknown, string])[] = [
      [{ name: 'web', amount: -1 }, 'amount'],
      [{ name: 'web', amount: 11 }, 'amount'],
      [{ name: 'web', amount: 1.5 }, 'amount'],
      [{ name: 'web', amount: '2' }, 'amount'],
      [{ name: 'web' }, 'amount'],
      [{ name: 'web', amount: 1, size: 'XXL' }, 'size'],
      [{ amount: 1 }, 'name'],
      ['web', 'containers'],
    ];
    for (const [container, field] of cases) {
      const answer = await scale({ name: 'web', amount: 2 }, container);
      assert.deepEqual([answer.status, Object.keys(errorsOf(answer))], [422, [field]], JSON.stringify(container));
    }
    for (const body of [{}, { containers: [] }, { containers: { web: 2 } }])
      assert.deepEqual(errorsOf(await send('POST', `${path}/scale`, body)), { containers: ['missing field'] });
    assert.deepEqual(brief(containersOf(await send('GET', `${path}/containers`))), [['web', 1, 'M']]);
  });

  test('restarting: all, a type, a container; what is not there is not restarted', async () => {
    const { send, path, deployed, settle, uuid } = await withApp('restarting');
    const instance = await deployed();
    const { db } = get();
    const before = await db.apps.findAny(uuid);
    for (const [scope, check] of [
      [
        null,
        async () =>
          assert.equal((await db.apps.findAny(uuid))?.restartGeneration, (before?.restartGeneration ?? 0) + 1),
      ],
      [['web'], async () => assert.equal((await db.processes.find(uuid, 'web'))?.restartGeneration, 1)],
      [['web-1'], async () => assert.match((await db.instances.list(uuid))[0]?.generation ?? '', /^restart-/)],
    ] as const) {
      const answer = await send('POST', `${path}/restart`, { scope });
      assert.equal(answer.status, 202, answer.text);
      const shown = await send('GET', new URL(answer.headers.get('location') ?? '').pathname.slice('/v1'.length));
      assert.equal(shown.json<{ operation: { type: string } }>().operation.type, 'restart');
      await check();
      await settle();
    }
    assert.equal((await send('POST', `${path}/restart`)).status, 202, 'a body is not needed');
    await settle();
    for (const [name, resource] of [
      ['web-2', 'container'],
      ['nothing', 'container_type'],
      [instance, 'container_type'],
    ]) {
      const answer = await send('POST', `${path}/restart`, { scope: ['web', name] });
      assert.deepEqual([answer.status, answer.json()], [404, { resource, error: 'not found' }], name);
    }
    assert.equal((await send('POST', `${path}/restart`, { scope: 'web' })).status, 422);
    assert.deepEqual(await db.operations.open(uuid, ['restart']), [], 'nothing was begun');
  });

  test('while one operation goes on, no other begins', async () => {
    const { send, path, deployed, settle, statusOf } = await withApp('busy-app');
    assert.equal(await statusOf(), 'new');
    await deployed();
    assert.equal(await statusOf(), 'running');
    assert.equal((await send('POST', `${path}/scale`, { containers: [{ name: 'web', amount: 2 }] })).status, 202);
    assert.equal(await statusOf(), 'scaling');
    for (const [verb, body] of [
      ['scale', { containers: [{ name: 'web', amount: 3 }] }],
      ['restart', { scope: null }],
    ] as const) {
      const refused = await send('POST', `${path}/${verb}`, body);
      assert.deepEqual([refused.status, Object.keys(errorsOf(refused))], [422, ['app']]);
    }
    await settle();
    assert.equal((await send('POST', `${path}/restart`, { scope: [] })).status, 202);
    assert.equal(await statusOf(), 'restarting');
    await settle();
    assert.equal(await statusOf(), 'running');
  });

  test('ps shows what runs; statuses follow it', async () => {
    const { send, path, deployed, statusOf, uuid } = await withApp('processes');
    const instance = await deployed();
    const { db } = get();
    const read = async () =>
      (await send('GET', `${path}/ps`)).json<{ containers: readonly Record<string, unknown>[] }>().containers;
    const [container] = await read();
    assert.deepEqual(
      [container?.id, container?.label, container?.type, container?.type_index, container?.state, container?.command],
      [shortId(instance), 'web-1', 'web', 1, 'running', 'node web.js'],
    );
    assert.deepEqual(
      Object.entries(container?.container_size ?? {}).find(([key]) => key === 'name'),
      ['name', 'M'],
    );
    await db.instances.update(instance, { state: 'crashed', restarts: 2 });
    assert.deepEqual([(await read())[0]?.state, await statusOf()], ['crashed', 'crashed']);
    await db.instances.remove(instance);
    assert.deepEqual([await read(), await statusOf()], [[], 'booting']);
    const web = await db.processes.find(uuid, 'web');
    await db.processes.update(web?.id ?? '', { quantity: 0 });
    assert.equal(await statusOf(), 'stopped');
  });

  test('operations of another app are not there', async () => {
    const first = await withApp('first-of-two');
    const second = await withApp('second-of-two');
    const answer = await first.send('POST', `${first.path}/restart`, {});
    const id = new URL(answer.headers.get('location') ?? '').pathname.split('/').at(-1);
    assert.equal((await second.send('GET', `${second.path}/operations/${id}`)).status, 404);
    assert.equal((await second.send('GET', `${first.path}/operations/${id}`)).status, 404);
    assert.equal((await first.send('GET', `${first.path}/operations/${id}`)).status, 200);
  });
});
