/** Two simulated engines as one: who does what, and what is said when one of them is away. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import type { Engine, InstanceSpec, NodeSpec } from '../../src/core/ports/engine.ts';
import { createPooledEngine } from '../../src/engines/pooled-engine.ts';
import { SimulatedEngine } from '../../src/engines/simulated/simulated-engine.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { until } from '../support/until.ts';

interface Scene {
  readonly docker: SimulatedEngine;
  readonly process: SimulatedEngine;
  readonly engine: Engine;
}

/** Pools and spaces are called like their engine. */
function scene(t: TestContext, change: Partial<Engine> = {}): Scene {
  const options = { clock: systemClock, logAppender: { append: async () => {} } };
  const [docker, process] = [new SimulatedEngine(options), new SimulatedEngine(options)];
  t.after(() => {
    docker.close();
    process.close();
  });
  Object.assign(docker, change);
  const engine = createPooledEngine({
    engines: { docker, process },
    fallback: 'process',
    kindOfPool: async (poolId) => (poolId === 'none' ? null : poolId),
    kindOfSpace: async (spaceId) => spaceId,
  });
  return { docker, process, engine };
}

const spec = (poolId?: string): InstanceSpec => ({
  id: randomUUID(),
  kind: 'process',
  appId: 'app',
  appHandle: 'app',
  spaceId: 'space',
  processType: 'web',
  generation: 'g1',
  artifactDigest: `sha256:${'0'.repeat(64)}`,
  command: 'serve',
  environment: {},
  ports: 'any',
  limits: { memoryBytes: 2 ** 20, cpuShares: 1_024, pids: 10 },
  graceMs: 100,
  ...(poolId === undefined ? {} : { poolId }),
});

const node = (id: string, poolId: string): NodeSpec => ({
  id,
  poolId,
  address: `tcp://${id}:2376`,
  tls: null,
  schedulable: true,
  labels: {},
});

const ids = async (engine: Engine): Promise<string[]> => (await engine.list()).map(({ id }) => id).toSorted();

test('an instance is started by the engine of its pool, and every later verb finds it', async (t) => {
  const { docker, process, engine } = scene(t);
  await engine.useNodes([]);
  const [boxed, plain] = [spec('docker'), spec()];
  await engine.start(boxed);
  await engine.start(plain);
  assert.deepEqual([await ids(docker), await ids(process)], [[boxed.id], [plain.id]]);
  assert.deepEqual(await ids(engine), [boxed.id, plain.id].toSorted());
  await until('both run', async () => (await engine.list()).every(({ state }) => state === 'running'));
  assert.deepEqual(
    (await engine.stats([boxed.id, plain.id])).map(({ id }) => id),
    [boxed.id, plain.id],
  );
  assert.equal((await (await engine.exec(boxed.id, { command: ['true'] })).exit).code, 0);
  await engine.stop(boxed.id, 100);
  await engine.remove(boxed.id);
  assert.deepEqual([await ids(docker), await ids(process)], [[], [plain.id]]);
  await engine.remove(boxed.id);
  await assert.rejects(() => engine.exec(boxed.id, { command: ['true'] }), { kind: 'not-found' });
  await assert.rejects(() => engine.start(spec('none')), { kind: 'unavailable' });
});

test('what an earlier server started is found by its verbs too', async (t) => {
  const { docker, engine } = scene(t);
  await engine.useNodes([]);
  const left = spec('docker');
  await docker.start(left);
  await engine.stop(left.id, 100);
  assert.equal((await docker.list())[0]?.state, 'exited');
});

test('nodes and links go to the engine of their pool, volumes and descriptions are those of both', async (t) => {
  const { docker, process, engine } = scene(t);
  await assert.rejects(() => engine.list(), { kind: 'unavailable' });
  await engine.useNodes([node('one', 'docker'), node('two', 'process'), node('three', 'none')]);
  assert.deepEqual([docker.nodes.map(({ id }) => id), process.nodes.map(({ id }) => id)], [['one'], ['two']]);
  const route = (spaceId: string) => ({ target: `${spaceId}/db`, spaceId, port: 5432, backends: [] });
  await engine.routeLinks([route('docker'), route('process')]);
  assert.deepEqual([docker.links, process.links], [[route('docker')], [route('process')]]);
  await engine.start({ ...spec('docker'), mounts: [{ volumeId: 'v1', path: '/data' }] });
  await engine.start({ ...spec('process'), mounts: [{ volumeId: 'v2', path: '/data' }] });
  assert.deepEqual([...(await engine.volumes())].toSorted(), ['v1', 'v2']);
  const { nodes, isolation, kind } = await engine.describe();
  assert.deepEqual([nodes.map(({ id }) => id), kind], [['one', 'two'], 'simulated']);
  assert.deepEqual(isolation[0], { what: 'user', inForce: false, how: 'nothing runs' });
});

test('while one engine is away there is no list rather than a part of one; the other still starts and stops', async (t) => {
  const lost = (): Promise<never> => Promise.reject(new Error('the daemon is away'));
  const { process, engine } = scene(t, { list: lost });
  await engine.useNodes([]);
  const plain = spec('process');
  await engine.start(plain);
  await assert.rejects(() => engine.list(), /away/);
  await engine.stop(plain.id, 100);
  assert.equal((await process.list())[0]?.state, 'exited');
});

test('a change of either wakes, until it is told not to', async (t) => {
  const { docker, process, engine } = scene(t);
  let wakes = 0;
  const end = engine.watch(() => {
    wakes += 1;
  });
  await docker.start(spec());
  await until('the one wakes', () => wakes > 0);
  const before = wakes;
  await process.start(spec());
  await until('the other wakes', () => wakes > before);
  end();
  await until('nothing is under way', async () => (await process.list()).every(({ state }) => state === 'running'));
  const after = wakes;
  await process.start(spec());
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(wakes, after);
});
