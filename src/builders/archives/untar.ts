/** Reads a tar, plain or compressed, entry by entry into a TreeWriter. */
import { createReadStream } from 'node:fs';
import { pipeline, type Writable } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { extract as createExtract, type Header } from 'tar-stream';
import { BuildFailure } from '../../core/ports/builder.ts';
import { refused } from './tree-path.ts';
import { type ArchiveLimits, type TreeSummary, TreeWriter } from './tree-writer.ts';

/** Old tars carry no format word; their checksum is checked all the same. */
const extractOptions = { allowUnknownFormat: true, highWaterMark: 64 * 1024 };

interface EntryBytes extends AsyncIterable<Uint8Array> {
  resume(): unknown;
  on(event: 'error', listener: () => void): unknown;
}

/** Unpacks `archive` into the empty folder `root`. Throws BuildFailure `source`, or what the signal says. */
export async function untar(
  archive: string,
  kind: 'tar' | 'tgz' | 'tar.zst',
  root: string,
  limits: ArchiveLimits,
  signal: AbortSignal,
): Promise<TreeSummary> {
  const file = createReadStream(archive, { signal });
  const extract = createExtract(extractOptions);
  const stages = kind === 'tar' ? [] : [kind === 'tgz' ? createGunzip() : createZstdDecompress()];
  // The iterator below is where an error of any stage shows.
  pipeline([file, ...stages, extract as unknown as Writable], () => {});
  const writer = new TreeWriter(root, limits, () => file.bytesRead);
  try {
    for await (const entry of extract) await writeEntry(writer, entry.header, entry as unknown as EntryBytes);
    signal.throwIfAborted();
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof BuildFailure || isFileSystemError(error)) throw error;
    throw new BuildFailure('source', `the archive is damaged: ${(error as Error).message}`);
  } finally {
    file.destroy();
  }
  return writer.finish();
}

async function writeEntry(writer: TreeWriter, header: Header, bytes: EntryBytes): Promise<void> {
  // It may fail before the writer begins to read, and a failure that nobody hears would end the process; the reader still gets it.
  bytes.on('error', () => {});
  const type = header.type;
  if (type === 'file' || type === 'contiguous-file') {
    await writer.file(header.name, (header.mode & 0o111) !== 0, bytes);
    return;
  }
  if (type === 'directory') await writer.folder(header.name);
  else if (type === 'symlink') await writer.symbolicLink(header.name, header.linkname ?? '');
  else if (type === 'link') await writer.hardLink(header.name, header.linkname ?? '');
  else throw refused(header.name, `is a ${type.replace('-', ' ')}`);
  bytes.resume();
}

/** An error of the machine's disk is not the archive's fault. */
function isFileSystemError(error: unknown): boolean {
  return (error as { syscall?: unknown }).syscall !== undefined;
}
