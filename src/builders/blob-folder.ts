/** The BlobStore on a local folder: `<data>/blobs/<id>` holds the bytes, `<id>.json` what is known of them and that they are whole. */
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { BerthError, conflict, notFound } from '../core/errors.ts';
import { isId } from '../core/names.ts';
import type { Blob, BlobStore, PutBlobOptions } from '../core/ports/blob-store.ts';
import type { Clock, Ids } from '../core/ports/clock.ts';
import { LimitExceeded, limitBytes, meterBytes } from '../lib/streams.ts';
import { formatBytes } from './limits.ts';

/** A BlobStore whose blobs are files, so that a build on the same machine reads them in place. */
export interface BlobFolder extends BlobStore {
  /** The file that holds a blob; throws BerthError `not-found`. Not to be changed. */
  file(id: string): Promise<{ readonly path: string; readonly blob: Blob }>;
}

export interface BlobFolderOptions {
  readonly dataFolder: string;
  readonly clock: Clock;
  readonly ids: Ids;
}

const partSuffix = '.part';

/** Several may work on the same folder at once. */
export function createBlobFolder({ dataFolder, clock, ids }: BlobFolderOptions): BlobFolder {
  const folder = join(dataFolder, 'blobs');
  const bytesPath = (id: string): string => join(folder, id);
  /** Ids that were given out before, and whose bytes come just now. */
  const arriving = new Set<string>();
  const infoPath = (id: string): string => join(folder, `${id}.json`);

  async function put(bytes: AsyncIterable<Uint8Array>, { id, ...options }: PutBlobOptions): Promise<Blob> {
    if (id === undefined) return write(ids.id(), bytes, options);
    if (!isId(id)) throw notFound('upload');
    if (arriving.has(id)) throw exists();
    arriving.add(id);
    try {
      if ((await get(id)) !== null) throw exists();
      return await write(id, bytes, options);
    } finally {
      arriving.delete(id);
    }
  }

  async function write(
    id: string,
    bytes: AsyncIterable<Uint8Array>,
    { maxBytes, signal }: Omit<PutBlobOptions, 'id'>,
  ): Promise<Blob> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const part = bytesPath(id) + partSuffix;
    const meter = meterBytes();
    try {
      const target = createWriteStream(part, { flags: 'wx', mode: 0o600, flush: true });
      const options = signal === undefined ? {} : { signal };
      // A stream is used as it is: wrapped, a stalled one could not be cancelled.
      await pipeline(
        bytes instanceof Readable ? bytes : Readable.from(bytes),
        limitBytes(maxBytes),
        meter.through,
        target,
        options,
      );
      const blob: Blob = { id, sizeBytes: meter.sizeBytes(), sha256: meter.sha256(), createdAt: clock.now() };
      await rename(part, bytesPath(id));
      await writeFile(infoPath(id) + partSuffix, JSON.stringify(blob), { flag: 'wx', mode: 0o600, flush: true });
      await rename(infoPath(id) + partSuffix, infoPath(id));
      await syncFolder(folder);
      return blob;
    } catch (error) {
      for (const path of [part, bytesPath(id), infoPath(id) + partSuffix]) await rm(path, { force: true });
      if (signal?.aborted) throw new BerthError('cancelled', 'the upload was cancelled', { cause: error });
      if (!(error instanceof LimitExceeded)) throw error;
      throw new BerthError('too-large', `the source is larger than ${formatBytes(maxBytes)}`, { cause: error });
    }
  }

  async function get(id: string): Promise<Blob | null> {
    if (!isId(id)) return null;
    try {
      const info = JSON.parse(await readFile(infoPath(id), 'utf8')) as Omit<Blob, 'createdAt'> & { createdAt: string };
      return { ...info, createdAt: new Date(info.createdAt) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw error;
    }
  }

  async function file(id: string): Promise<{ path: string; blob: Blob }> {
    const blob = await get(id);
    if (blob === null) throw notFound('upload');
    return { path: bytesPath(id), blob };
  }

  async function remove(id: string): Promise<void> {
    if (!isId(id)) return;
    await rm(infoPath(id), { force: true });
    await rm(bytesPath(id), { force: true });
  }

  /** Also sweeps what a crash left half written; ages are those of the files, as a part has no other. */
  async function prune(olderThan: Date, keep: ReadonlySet<string>): Promise<{ removed: number; freedBytes: number }> {
    let removed = 0;
    let freedBytes = 0;
    for (const name of await readdir(folder).catch(() => [] as string[])) {
      const id = name.split('.')[0] ?? '';
      if (!isId(id) || keep.has(id) || (name !== id && !name.endsWith(partSuffix))) continue;
      const { mtime, size } = await stat(join(folder, name)).catch(() => ({ mtime: olderThan, size: 0 }));
      if (mtime >= olderThan) continue;
      if (name === id) await remove(id);
      else await rm(join(folder, name), { force: true });
      removed += 1;
      freedBytes += size;
    }
    return { removed, freedBytes };
  }

  return {
    put,
    get,
    file,
    path: async (id) => (await file(id)).path,
    open: async (id) => createReadStream((await file(id)).path),
    remove,
    prune,
  };
}

const exists = (): BerthError => conflict('blob-exists', 'this upload was made already', 'upload');

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
