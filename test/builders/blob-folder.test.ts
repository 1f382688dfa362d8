import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { test } from 'node:test';
import { createBlobFolder } from '../../src/builders/blob-folder.ts';
import { BerthError } from '../../src/core/errors.ts';
import { systemClock, systemIds } from '../../src/lib/clock.ts';
import { collectBytes } from '../../src/lib/streams.ts';
import { temporaryFolder } from './workbench.ts';

const hasKind = (kind: BerthError['kind']) => (error: unknown) => error instanceof BerthError && error.kind === kind;

test('keeps blobs, and nothing of an upload that fails', async (t) => {
  const dataFolder = await temporaryFolder(t);
  const blobs = createBlobFolder({ dataFolder, clock: systemClock, ids: systemIds });
  const bytes = Buffer.alloc(300_000, 'source');
  const blob = await blobs.put(Readable.from([bytes]), { maxBytes: 300_000 });
  assert.equal(blob.sizeBytes, 300_000);
  assert.equal(blob.sha256, createHash('sha256').update(bytes).digest('hex'));
  assert.deepEqual(await blobs.get(blob.id), blob);
  assert.deepEqual(await collectBytes(await blobs.open(blob.id), 1e6), bytes);

  await assert.rejects(blobs.put(Readable.from([bytes]), { maxBytes: 299_999 }), hasKind('too-large'));
  const failing = async function* () {
    yield bytes;
    throw new Error('the connection broke');
  };
  await assert.rejects(blobs.put(failing(), { maxBytes: 1e6 }), /connection broke/);
  const controller = new AbortController();
  const stalled = new PassThrough();
  stalled.write(bytes);
  stalled.on('drain', () => controller.abort());
  await assert.rejects(blobs.put(stalled, { maxBytes: 1e6, signal: controller.signal }), hasKind('cancelled'));
  assert.deepEqual((await readdir(join(dataFolder, 'blobs'))).sort(), [blob.id, `${blob.id}.json`]);

  await blobs.remove(blob.id);
  await blobs.remove(blob.id);
  assert.equal(await blobs.get(blob.id), null);
  await assert.rejects(blobs.open(blob.id), hasKind('not-found'));
  for (const id of ['../../etc/passwd', '', 'x'.repeat(36)]) {
    assert.equal(await blobs.get(id), null);
    await assert.rejects(blobs.open(id), hasKind('not-found'));
  }
});

test('prunes what is old and not kept, and parts of broken uploads', async (t) => {
  const dataFolder = await temporaryFolder(t);
  const blobs = createBlobFolder({ dataFolder, clock: systemClock, ids: systemIds });
  await mkdir(join(dataFolder, 'blobs'), { recursive: true });
  const put = async () => (await blobs.put(Readable.from([Buffer.from('x')]), { maxBytes: 10 })).id;
  const [old, kept, fresh] = [await put(), await put(), await put()];
  const part = join(dataFolder, 'blobs', `${systemIds.id()}.part`);
  await writeFile(part, 'half');
  for (const path of [join(dataFolder, 'blobs', old), join(dataFolder, 'blobs', kept), part])
    await utimes(path, 1000, 1000);
  const result = await blobs.prune(new Date(2000_000), new Set([kept]));
  assert.deepEqual(result, { removed: 2, freedBytes: 5 });
  assert.equal(await blobs.get(old), null);
  assert.ok((await blobs.get(kept)) !== null && (await blobs.get(fresh)) !== null);
});
