import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EngineInstance, InstanceStats } from '../../src/core/ports/engine.ts';
import type { RecordingMetricStore } from '../../src/metering/series.ts';
import { createSeries } from '../../src/metering/series.ts';
import { instanceOf, statsOf } from './samples.ts';

const begin = Date.parse('2026-01-02T03:00:00Z');

/** A store with a clock that the test moves; `sample` records one round. */
function storeAt(options: { maxInstances?: number } = {}): {
  store: RecordingMetricStore;
  sample: (atMs: number, stats: readonly Partial<InstanceStats>[], instances?: readonly EngineInstance[]) => void;
} {
  let nowMs = begin;
  const clock = { now: () => new Date(nowMs), monotonicMs: () => nowMs };
  const store = createSeries({ clock, ...options });
  return {
    store,
    sample(atMs, stats, instances = [instanceOf('web-1')]) {
      nowMs = begin + atMs;
      store.record(
        instances,
        stats.map((part) => statsOf({ at: new Date(nowMs), ...part })),
      );
    },
  };
}

const all = { appId: 'app', from: new Date(0), to: new Date(begin + 10 * 86_400_000) };

test('rates come from two samples, and not over a counter that began again', () => {
  const { store, sample } = storeAt();
  const cpu = (userSeconds: number) => ({ cpu: { userSeconds, systemSeconds: 1 } });
  const net = (receivedBytes: number) => ({ network: { receivedBytes, sentBytes: 0 } });
  sample(0, [{ ...cpu(10), ...net(1000) }]);
  assert.equal(store.latest('app')[0]?.values.cpuCores, null);
  sample(5000, [{ ...cpu(12.5), ...net(6000) }]);
  assert.equal(store.latest('app')[0]?.values.cpuCores, 0.5);
  assert.equal(store.latest('app')[0]?.values.receivedBytesPerSecond, 1000);
  sample(10_000, [{ ...cpu(0), network: null }]);
  assert.equal(store.latest('app')[0]?.values.cpuCores, null);
  assert.equal(store.latest('app')[0]?.values.receivedBytesPerSecond, null);
  const recent = { ...all, from: new Date(begin), metric: 'cpuCores' } as const;
  assert.deepEqual(store.query(recent)[0]?.points, [{ at: new Date(begin + 5000), value: 0.5 }]);
});

test('recent ranges are fine, older ones by the minute, with peaks of memory', () => {
  const { store, sample } = storeAt();
  const memory = (usageBytes: number) => ({
    memory: { usageBytes, residentBytes: 1, cacheBytes: 1, limitBytes: 1000 },
  });
  for (let second = 0; second < 3600; second += 5) sample(second * 1000, [memory(second % 60 === 30 ? 500 : 100)]);
  const metric = 'memoryUsageBytes';
  const [hour] = store.query({ ...all, metric });
  assert.equal(hour?.stepMs, 60_000);
  assert.equal(hour?.points.length, 60);
  assert.ok(hour?.points.every(({ value }) => value === 500));
  const [recent] = store.query({ ...all, metric, from: new Date(begin + 3_100_000) });
  assert.equal(recent?.stepMs, 5000);
  assert.equal(recent?.points.length, 100);
  assert.deepEqual(recent?.points.at(-1), { at: new Date(begin + 3_595_000), value: 100 });
  assert.equal(store.latest('app')[0]?.memoryPeakBytes, 500);
});

test('a day is kept and no more', () => {
  const { store, sample } = storeAt();
  for (let minute = 0; minute < 2000; minute += 1) sample(minute * 60_000, [{ pids: minute }]);
  const points = store.query({ ...all, metric: 'pids' })[0]?.points ?? [];
  assert.equal(points.length, 1441);
  assert.equal(points[0]?.value, 559);
  assert.equal(points.at(-1)?.value, 1999);
});

test('queries choose by app, process and instance', () => {
  const { store, sample } = storeAt();
  const instances = [
    instanceOf('web-1'),
    instanceOf('web-2'),
    instanceOf('job-1', { processType: 'worker' }),
    instanceOf('other', { appId: 'other-app' }),
  ];
  const ids = (query: object): string[] =>
    store.query({ ...all, metric: 'pids', ...query }).map(({ instance }) => instance);
  sample(
    0,
    [...instances, { id: 'unlisted' }].map(({ id }) => ({ id })),
    instances,
  );
  assert.deepEqual(ids({}), ['web-1', 'web-2', 'job-1']);
  assert.deepEqual(ids({ process: 'worker' }), ['job-1']);
  assert.deepEqual(ids({ instance: 'web-2' }), ['web-2']);
  assert.deepEqual(ids({ from: new Date(begin + 1) }), []);
  assert.deepEqual(ids({ appId: 'nobody' }), []);
});

test('gone instances leave the newest view at once and the store after a day; their number is bounded', () => {
  const { store, sample } = storeAt({ maxInstances: 3 });
  for (const [round, id] of ['a', 'b', 'c', 'd'].entries()) sample(round * 5000, [{ id }], [instanceOf(id)]);
  const ids = (): string[] => store.query({ ...all, metric: 'pids' }).map(({ instance }) => instance);
  assert.deepEqual(ids(), ['b', 'c', 'd']);
  sample(30_000, [{ id: 'd' }], [instanceOf('d')]);
  assert.deepEqual(
    store.latest('app').map(({ instance }) => instance),
    ['d'],
  );
  sample(86_400_000 + 20_000, [{ id: 'e' }], [instanceOf('e')]);
  assert.deepEqual(ids(), ['d', 'e']);
});

test('a sample that is not newer changes nothing', () => {
  const { store, sample } = storeAt();
  sample(0, [{ pids: 1 }]);
  sample(0, [{ pids: 2 }]);
  assert.equal(store.latest('app')[0]?.values.pids, 1);
});
