import assert from 'node:assert/strict';
import { once } from 'node:events';
import { appendFile, mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { start } from '../../src/lib/exec.ts';
import { lineOf, numbered, temporaryStore, texts } from './temporary-store.ts';

const writerProgram = fileURLToPath(new URL('./writer-process.ts', import.meta.url));

async function runWriter(t: TestContext, ...argv: string[]): Promise<void> {
  const child = start([process.execPath, writerProgram, ...argv], {
    environment: {},
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  const [code] = await once(child, 'exit');
  assert.equal(code, 0);
}

test('processes that append at once lose, double, reorder and mix nothing, across many segments', async (t) => {
  const { store, folder } = await temporaryStore(t, { segmentBytes: 20_000 });
  const count = 3000;
  await Promise.all([
    ...['a', 'b'].map((prefix) => runWriter(t, folder, 'apps/shared', prefix, String(count), '20000')),
    (async () => {
      for (let index = 0; index < count; index += 1) await store.append('apps/shared', [lineOf(`c ${index}`)]);
    })(),
  ]);
  const found = await texts(store, 'apps/shared', 4 * count);
  for (const prefix of ['a', 'b', 'c']) {
    const own = found.filter((text) => text.startsWith(prefix));
    assert.deepEqual(new Set(own), new Set(numbered(prefix, 0, count).map((line) => line.text)));
    assert.equal(own.length, count);
  }
  assert.equal(found.length, 3 * count);
  assert.ok((await readdir(join(folder, 'apps/shared'))).length > 10);
});

test('lines given at once stay in the order in which they were given', async (t) => {
  const { store } = await temporaryStore(t);
  await Promise.all(numbered('x', 0, 500).map((line) => store.append('apps/one', [line])));
  assert.deepEqual(
    await texts(store, 'apps/one', 1000),
    numbered('x', 0, 500).map((line) => line.text),
  );
});

test('a line torn by a crash is skipped and does not spoil the next one', async (t) => {
  const { store, folder } = await temporaryStore(t);
  await mkdir(join(folder, 'apps/torn'), { recursive: true });
  const segment = join(folder, 'apps/torn/000001.log');
  await appendFile(segment, '2026-01-02T03:04:05.678Z app web web-1 whole\n2026-01-02T03:04:05.678Z app web web-1 to');
  assert.deepEqual(await texts(store, 'apps/torn', 10), ['whole']);
  await store.append('apps/torn', [lineOf('next')]);
  assert.deepEqual(await texts(store, 'apps/torn', 10), ['whole', 'next']);
});

test('a batch larger than one write arrives whole', async (t) => {
  const { store } = await temporaryStore(t);
  const lines = Array.from({ length: 40 }, (_, index) => lineOf(`${index} ${'é'.repeat(30_000)}`));
  await store.append('apps/big', lines);
  assert.deepEqual(
    await texts(store, 'apps/big', 100),
    lines.map((line) => line.text),
  );
});

test('a stream whose folder was deleted under the writer is begun again', async (t) => {
  const { store, folder } = await temporaryStore(t);
  await store.append('apps/gone', [lineOf('before')]);
  await rm(join(folder, 'apps/gone'), { recursive: true });
  await store.append('apps/gone', [lineOf('after')]);
  assert.deepEqual(await texts(store, 'apps/gone', 10), ['after']);
});

test('only the owner may read the files', async (t) => {
  const { store, folder } = await temporaryStore(t);
  await store.append('apps/private', [lineOf('x')]);
  assert.equal((await stat(join(folder, 'apps/private'))).mode & 0o777, 0o700);
  assert.equal((await stat(join(folder, 'apps/private/000001.log'))).mode & 0o777, 0o600);
});

test('a stream name cannot leave the folder', async (t) => {
  const { store } = await temporaryStore(t);
  for (const stream of [
    'apps/../../x',
    'apps',
    '/etc/passwd',
    'apps/..',
    'apps/a/b',
    '../apps/x',
    'apps/a\0',
    'apps/',
  ]) {
    const refused = { name: 'BerthError', kind: 'invalid' };
    await assert.rejects(store.append(stream, [lineOf('x')]), refused);
    await assert.rejects(store.remove(stream), refused);
    await assert.rejects(texts(store, stream, 1), refused);
  }
});

test('an append that the disk refuses says so, and the next one works', async (t) => {
  const { store, folder } = await temporaryStore(t);
  await appendFile(join(folder, 'apps'), 'a file where a folder should be');
  await assert.rejects(store.append('apps/x', [lineOf('lost')]), { code: /ENOTDIR|EEXIST/ });
  await rm(join(folder, 'apps'));
  await store.append('apps/x', [lineOf('kept')]);
  assert.deepEqual(await texts(store, 'apps/x', 10), ['kept']);
});

test('many more streams than may be open at once are all written', async (t) => {
  const { store } = await temporaryStore(t);
  const streams = Array.from({ length: 400 }, (_, index) => `apps/s${index}`);
  for (const round of ['one', 'two']) {
    await Promise.all(streams.map((stream) => store.append(stream, [lineOf(round)])));
  }
  for (const stream of streams) assert.deepEqual(await texts(store, stream, 5), ['one', 'two']);
});
