/** Files that a one-off is given: copied in before it runs, so that nothing of the platform's machine is shown inside. */
import { type FileHandle, open } from 'node:fs/promises';
import { relative } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Pack, pack } from 'tar-stream';
import { type Uploads, uploadRefusal, uploadsFolder } from '../common/upload-names.ts';
import type { DockerApi } from './api/docker-api.ts';
import type { RunnableImage } from './images/runnable-images.ts';
import { type Owner, ownerOf } from './owner.ts';

const putMs = 600_000;

const temporary = '/tmp';

/**
 * A part of HostConfig.Mounts. Docker copies nothing into read-only files, nor into memory that is not there before the start; a volume without
 * a name goes with the container.
 */
export const uploadMounts = (uploads: Uploads = [], { readOnly = false }: Pick<RunnableImage, 'readOnly'>) =>
  readOnly && uploads.length > 0 ? [{ Type: 'volume', Target: temporary }] : [];

/**
 * Copies them into a container of `image` that does not run yet, with `uploadMounts` among its mounts; they belong to whoever it runs as.
 * Holds no file in memory. Rejects in words for the app's owner.
 */
export async function putUploads(
  api: DockerApi,
  container: string,
  uploads: Uploads = [],
  { user, readOnly = false }: Pick<RunnableImage, 'user' | 'readOnly'>,
): Promise<void> {
  if (uploads.length === 0) return;
  const refusal = uploadRefusal(uploads);
  if (refusal !== null) throw new Error(refusal);
  // An image may have no /tmp yet.
  const path = readOnly ? temporary : '/';
  const tar = pack();
  const writing = write(tar, uploads, relative(path, uploadsFolder), ownerOf(user)).catch((error: unknown) => {
    tar.destroy(error instanceof Error ? error : new Error(String(error)));
  });
  try {
    await api.call('PUT', `/containers/${container}/archive`, {
      query: { path },
      content: { type: 'application/x-tar', bytes: Readable.from(tar, { objectMode: false }) },
      timeoutMs: putMs,
    });
  } finally {
    tar.destroy();
    await writing;
  }
}

async function write(tar: Pack, uploads: Uploads, folder: string, owner: Owner): Promise<void> {
  await pipeline(Readable.from([]), tar.entry({ name: `${folder}/`, type: 'directory', mode: 0o755, ...owner }));
  for (const { name, path } of uploads) {
    const file = await open(path).catch(() => {
      throw new Error(`the uploaded file ${JSON.stringify(name)} is not there any more`);
    });
    try {
      await writeFile(tar, { name: `${folder}/${name}`, mode: 0o644, ...owner }, file);
    } finally {
      await file.close();
    }
  }
  tar.finalize();
}

async function writeFile(tar: Pack, head: { name: string; mode: number }, file: FileHandle): Promise<void> {
  const { size } = await file.stat();
  const entry = tar.entry({ ...head, size });
  const bytes = size === 0 ? Readable.from([]) : file.createReadStream({ end: size - 1, autoClose: false });
  await pipeline(bytes, entry);
}
