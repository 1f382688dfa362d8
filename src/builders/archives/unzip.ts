/** Reads a zip, entry by entry in the order of its directory, into a TreeWriter. */
import { type Entry, openPromise, type ZipFile } from 'yauzl';
import { BuildFailure } from '../../core/ports/builder.ts';
import { collectBytes } from '../../lib/streams.ts';
import { refused } from './tree-path.ts';
import { type ArchiveLimits, type TreeSummary, TreeWriter } from './tree-writer.ts';

const madeByUnix = 3;
const fileTypeMask = 0o170000;
const typeOf = { fifo: 0o010000, folder: 0o040000, file: 0o100000, link: 0o120000 } as const;

/** Unpacks `archive` into the empty folder `root`. Throws BuildFailure `source`, or what the signal says. */
export async function unzip(
  archive: string,
  root: string,
  limits: ArchiveLimits,
  signal: AbortSignal,
): Promise<TreeSummary> {
  let zip: ZipFile | null = null;
  let readBytes = 0;
  const writer = new TreeWriter(root, limits, () => readBytes);
  try {
    zip = await openPromise(archive, { lazyEntries: true, autoClose: false, validateEntrySizes: true });
    if (zip.entryCount > limits.entries) {
      throw new BuildFailure('source', `the archive is refused: more than ${limits.entries} entries`);
    }
    for await (const entry of zip.eachEntry()) {
      signal.throwIfAborted();
      readBytes += entry.compressedSize;
      await writeEntry(writer, zip, entry, limits);
    }
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof BuildFailure || (error as { syscall?: unknown }).syscall !== undefined) throw error;
    throw new BuildFailure('source', `the archive is damaged or refused: ${(error as Error).message}`);
  } finally {
    zip?.close();
  }
  return writer.finish();
}

async function writeEntry(writer: TreeWriter, zip: ZipFile, entry: Entry, limits: ArchiveLimits): Promise<void> {
  const name = entry.fileName;
  // What the Finder adds beside the files.
  if (name.startsWith('__MACOSX/')) return;
  if (entry.isEncrypted()) throw refused(name, 'is encrypted');
  const mode = entry.versionMadeBy >> 8 === madeByUnix ? entry.externalFileAttributes >>> 16 : 0;
  const type = mode & fileTypeMask;
  if (name.endsWith('/') || type === typeOf.folder) return writer.folder(name);
  if (type !== 0 && type !== typeOf.file && type !== typeOf.link) throw refused(name, 'is no file, folder or link');
  const bytes = await zip.openReadStreamPromise(entry);
  // It may fail before the writer begins to read, and a failure that nobody hears would end the process; the reader still gets it.
  bytes.on('error', () => {});
  if (type !== typeOf.link) return writer.file(name, (mode & 0o111) !== 0, bytes);
  const target = await collectBytes(bytes, limits.pathBytes);
  return writer.symbolicLink(name, target.toString('utf8'));
}
