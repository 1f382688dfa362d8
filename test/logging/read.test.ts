import assert from 'node:assert/strict';
import { readdir, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { lineOf, numbered, temporaryStore, texts } from './temporary-store.ts';

test('a tail gives the last lines that match, over segment borders', async (t) => {
  const { store } = await temporaryStore(t, { segmentBytes: 5000 });
  for (let index = 0; index < 1000; index += 1) {
    const rest =
      index % 10 === 0 ? { process: 'worker', instance: 'worker-1', source: 'platform' as const } : { process: 'web' };
    await store.append('apps/mixed', [lineOf(`${index} ${'·'.repeat(index % 100)}`, rest)]);
  }
  const number = (text: string): number => Number(text.split(' ')[0]);
  assert.deepEqual((await texts(store, 'apps/mixed', 3)).map(number), [997, 998, 999]);
  for (const filter of [{ process: 'worker' }, { instance: 'worker-1' }, { source: 'platform' as const }]) {
    assert.deepEqual((await texts(store, 'apps/mixed', 3, filter)).map(number), [970, 980, 990]);
  }
  assert.equal((await texts(store, 'apps/mixed', 5000)).length, 1000);
  assert.deepEqual(await texts(store, 'apps/mixed', 5, { process: 'worker', instance: 'web-1' }), []);
  assert.deepEqual(await texts(store, 'apps/mixed', 0), []);
  assert.deepEqual(await texts(store, 'apps/unknown', 5), []);
});

test('the lines of a seat are found whichever instance filled it', async (t) => {
  const { store } = await temporaryStore(t);
  await store.append('apps/seats', [
    lineOf('one', { instance: 'web-1', seat: 'web-0' }),
    lineOf('two', { instance: 'web-2', seat: 'web-1' }),
    lineOf('three', { instance: 'web-3', seat: 'web-0' }),
    lineOf('four', { instance: 'web-3' }),
  ]);
  assert.deepEqual(await texts(store, 'apps/seats', 9, { seat: 'web-0' }), ['one', 'three']);
  assert.deepEqual(await texts(store, 'apps/seats', 9, { seat: '' }), ['four']);
  assert.deepEqual(await texts(store, 'apps/seats', 9, { instance: 'web-3' }), ['three', 'four']);
});

test('a line longer than a read is read whole', async (t) => {
  const { store } = await temporaryStore(t);
  const long = 'ü'.repeat(60_000);
  await store.append('apps/long', [lineOf('first'), lineOf(long), lineOf('last')]);
  assert.deepEqual(await texts(store, 'apps/long', 10), ['first', long, 'last']);
});

test('retention by bytes keeps the newest lines and works while the stream grows', async (t) => {
  const { store, folder } = await temporaryStore(t, { segmentBytes: 4000, retainBytes: 20_000 });
  for (let from = 0; from < 5000; from += 10) await store.append('apps/noisy', numbered('line', from, from + 10));
  await store.prune();
  const kept = await texts(store, 'apps/noisy', 10_000);
  assert.ok(kept.length > 100 && kept.length < 500, `${kept.length} lines kept`);
  assert.equal(kept.at(-1), 'line 4999');
  const first = 5000 - kept.length;
  assert.deepEqual(
    kept,
    numbered('line', first, 5000).map((line) => line.text),
  );
  assert.ok((await readdir(join(folder, 'apps/noisy'))).length <= 6);
});

test('retention by age deletes silent streams whole and leaves the others', async (t) => {
  const { store, folder } = await temporaryStore(t, { retainDays: 2 });
  for (const stream of ['apps/old', 'apps/young']) await store.append(stream, [lineOf('x')]);
  const threeDaysAgo = new Date(Date.now() - 3 * 86_400_000);
  await utimes(join(folder, 'apps/old/000001.log'), threeDaysAgo, threeDaysAgo);
  assert.equal((await store.prune()).segments, 1);
  assert.deepEqual(await readdir(join(folder, 'apps')), ['young']);
  await store.append('apps/old', [lineOf('again')]);
  assert.deepEqual(await texts(store, 'apps/old', 5), ['again']);
});

test('a removed stream is gone', async (t) => {
  const { store, folder } = await temporaryStore(t);
  await store.append('builds/b1', [lineOf('x')]);
  await store.remove('builds/b1');
  await store.remove('builds/b1');
  assert.deepEqual(await readdir(join(folder, 'builds')), []);
});
