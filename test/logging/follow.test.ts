import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { LogFilter } from '../../src/core/ports/log-store.ts';
import { ChangeSignal } from '../../src/logging/change-signal.ts';
import { LineQueue } from '../../src/logging/line-queue.ts';
import type { DiskLogStore } from '../../src/logging/log-store.ts';
import { lineOf, numbered, temporaryStore } from './temporary-store.ts';

/** Begins to follow, then gives what waits until `until` holds for the texts so far. */
async function follower(
  t: TestContext,
  store: DiskLogStore,
  stream: string,
  until: (texts: string[]) => boolean,
  options: { lines?: number; filter?: LogFilter } = {},
): Promise<() => Promise<string[]>> {
  const stop = new AbortController();
  t.after(() => stop.abort());
  const { lines = 0, filter = {} } = options;
  const batches = await store.read(stream, { lines, follow: true, filter, signal: stop.signal });
  return async () => {
    const found: string[] = [];
    for await (const batch of batches) {
      assert.equal(batch.dropped, 0);
      found.push(...batch.lines.map((line) => line.text));
      if (until(found)) break;
    }
    return found;
  };
}

const textsOf = (prefix: string, from: number, to: number): string[] =>
  numbered(prefix, from, to).map((line) => line.text);

test('the tail and what follows it have no gap and nothing twice, across segment rolls', async (t) => {
  const { store } = await temporaryStore(t, { segmentBytes: 3000 });
  await store.append('apps/a', numbered('x', 0, 500));
  const write = async (): Promise<void> => {
    for (let index = 500; index < 3000; index += 1) await store.append('apps/a', numbered('x', index, index + 1));
  };
  const following = follower(t, store, 'apps/a', (all) => all.at(-1) === 'x 2999', { lines: 10_000 });
  const [found] = await Promise.all([following.then((read) => read()), write()]);
  assert.deepEqual(found, textsOf('x', 0, 3000));
});

test('a follower may come before the stream, and sees only what matches', async (t) => {
  const { store } = await temporaryStore(t);
  const read = await follower(t, store, 'builds/b', (all) => all.length === 2, { filter: { process: 'worker' } });
  await store.append('builds/b', [lineOf('no'), lineOf('one', { process: 'worker' })]);
  await store.append('builds/b', [lineOf('no'), lineOf('two', { process: 'worker' })]);
  assert.deepEqual(await read(), ['one', 'two']);
});

test('who waited until it began misses nothing, however late it reads', async (t) => {
  const { store } = await temporaryStore(t, { segmentBytes: 1000 });
  await store.append('apps/a', numbered('old', 0, 100));
  const read = await follower(t, store, 'apps/a', (all) => all.at(-1) === 'new 99', { lines: 1 });
  await store.append('apps/a', numbered('new', 0, 100));
  assert.deepEqual(await read(), ['old 99', ...textsOf('new', 0, 100)]);
});

test('a stream that is removed and begun again is followed from its new beginning', async (t) => {
  const { store } = await temporaryStore(t, { segmentBytes: 1000 });
  await store.append('apps/a', numbered('old', 0, 100));
  const { promise: seen, resolve } = Promise.withResolvers<void>();
  const read = await follower(t, store, 'apps/a', (all) => {
    if (all.includes('first')) resolve();
    return all.includes('new 0');
  });
  const following = read();
  await store.append('apps/a', [lineOf('first')]);
  await seen;
  await store.remove('apps/a');
  await store.append('apps/a', numbered('new', 0, 1));
  assert.deepEqual(await following, ['first', 'new 0']);
});

test('aborting ends a follower that waits, and closing the store ends all', async (t) => {
  const { store } = await temporaryStore(t);
  await store.append('apps/a', [lineOf('x')]);
  const stop = new AbortController();
  const options = { lines: 10, follow: true };
  const waiting = [];
  for (const reading of [store.read('apps/a', { ...options, signal: stop.signal }), store.read('apps/a', options)]) {
    const iterator = (await reading)[Symbol.asyncIterator]();
    assert.equal((await iterator.next()).value?.lines.length, 1);
    waiting.push(iterator.next());
  }
  stop.abort();
  assert.equal((await waiting[0])?.done, true);
  await store.close();
  assert.equal((await waiting[1])?.done, true);
});

test('a slow follower loses the oldest lines, is told how many, and holds up no writer', async (t) => {
  const { store } = await temporaryStore(t, { follow: { maxLines: 100 } });
  await store.append('apps/a', [lineOf('begin')]);
  const stop = new AbortController();
  t.after(() => stop.abort());
  const batches = await store.read('apps/a', { lines: 1, follow: true, signal: stop.signal });
  const reading = batches[Symbol.asyncIterator]();
  await reading.next();
  // The reader asks once more, so that the follower is at work, and then not again until all is written.
  const second = reading.next();
  await store.append('apps/a', numbered('x', 0, 1));
  let received = (await second).value?.lines.length ?? 0;
  for (let from = 1; from < 5000; from += 100)
    await store.append('apps/a', numbered('x', from, Math.min(from + 100, 5000)));
  let dropped = 0;
  let last = '';
  while (last !== 'x 4999') {
    const { value } = await reading.next();
    assert.ok(value !== undefined && value.lines.length <= 100);
    received += value.lines.length;
    dropped += value.dropped;
    last = value.lines.at(-1)?.text ?? '';
  }
  assert.equal(received + dropped, 5000);
  assert.ok(dropped > 0, 'nothing was dropped');
});

test('the queue is bounded by characters too', async () => {
  const queue = new LineQueue(1000, 100);
  queue.push(Array.from({ length: 30 }, () => lineOf('0123456789')));
  const batch = await queue.take();
  assert.equal(batch?.lines.length, 10);
  assert.equal(batch?.dropped, 20);
  queue.push([lineOf('left')]);
  queue.close({ error: new Error('the disk is gone') });
  assert.equal((await queue.take())?.lines.length, 1);
  await assert.rejects(queue.take(), /the disk is gone/);
});

test('without a notice of the kernel the poll finds out', async () => {
  const signal = new ChangeSignal('/nowhere/at/all', { pollMs: 60_000, unwatchedPollMs: 5 });
  await signal.wait();
  await signal.wait();
  signal.close();
});
