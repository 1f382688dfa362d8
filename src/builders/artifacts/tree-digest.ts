/**
 * One digest for a whole tree, the same wherever and whenever it was made: paths, what kind each is, whether it may be executed, bytes
 * and link targets count; times, owners and other mode bits don't. On the way every entry gets the modes that artifacts have.
 */
import { createHash, hash } from 'node:crypto';
import { constants, createReadStream } from 'node:fs';
import { chmod, lchown, lstat, open, readdir, readlink, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

export interface SealedTree {
  /** `sha256:<hex>`. */
  readonly digest: string;
  readonly sizeBytes: number;
  readonly files: number;
}

const parallel = 8;
const ownUser = process.getuid?.();
const wholeBytes = 1024 * 1024;
const formatVersion = 'berth-tree-1';

interface FoundFile {
  readonly path: string;
  readonly executable: boolean;
  readonly sizeBytes: number;
}

/**
 * Makes the tree this process' own, readable by all and writable by nobody else, drops what is no file, folder or link, and digests it.
 * Nobody may write to it meanwhile. Throws what the signal says when it aborts.
 */
export async function sealTree(root: string, signal: AbortSignal): Promise<SealedTree> {
  const lines: string[] = [];
  const files: FoundFile[] = [];
  if (ownUser === 0) await lchown(root, 0, 0);
  await chmod(root, 0o755);
  await sealFolder(root, '', lines, files, signal);
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let file = files[next++]; file !== undefined; file = files[next++]) {
      signal.throwIfAborted();
      const sha256 = await digestFile(join(root, file.path), file.sizeBytes);
      lines.push(`${file.executable ? 'x' : 'f'}\0${file.path}\0${sha256}`);
    }
  };
  await Promise.all(Array.from({ length: parallel }, worker));
  // By code unit, not by locale: the order must be the same everywhere.
  lines.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  const digest = createHash('sha256').update(formatVersion);
  for (const line of lines) digest.update(`\n${line.length}\0${line}`);
  return {
    digest: `sha256:${digest.digest('hex')}`,
    sizeBytes: files.reduce((sum, file) => sum + file.sizeBytes, 0),
    files: files.length,
  };
}

const keyOf = (line: string): string => line.slice(2, line.indexOf('\0', 2) < 0 ? undefined : line.indexOf('\0', 2));

async function sealFolder(
  root: string,
  folder: string,
  lines: string[],
  files: FoundFile[],
  signal: AbortSignal,
): Promise<void> {
  const names = await readdir(join(root, folder));
  const folders: string[] = [];
  for (let at = 0; at < names.length; at += parallel) {
    signal.throwIfAborted();
    const some = names.slice(at, at + parallel).map((name) => (folder === '' ? name : `${folder}/${name}`));
    await Promise.all(some.map((path) => sealEntry(root, path, lines, files, folders)));
  }
  for (const path of folders) await sealFolder(root, path, lines, files, signal);
}

/** Everything about one path but a file's bytes; a folder is left to be walked. */
async function sealEntry(
  root: string,
  path: string,
  lines: string[],
  files: FoundFile[],
  folders: string[],
): Promise<void> {
  const at = join(root, path);
  const stats = await lstat(at);
  if (stats.uid !== ownUser && ownUser === 0) await lchown(at, 0, 0);
  const setMode = async (mode: number): Promise<void> => {
    if ((stats.mode & 0o7777) !== mode) await chmod(at, mode);
  };
  if (stats.isDirectory()) {
    await setMode(0o755);
    lines.push(`d\0${path}`);
    folders.push(path);
  } else if (stats.isSymbolicLink()) {
    lines.push(`l\0${path}\0${await readlink(at)}`);
  } else if (stats.isFile()) {
    const executable = (stats.mode & 0o111) !== 0;
    await setMode(executable ? 0o755 : 0o644);
    files.push({ path, executable, sizeBytes: stats.size });
  } else {
    await rm(at);
  }
}

async function digestFile(path: string, sizeBytes: number): Promise<string> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    if (sizeBytes <= wholeBytes) return hash('sha256', await handle.readFile(), 'hex');
    const sha256 = createHash('sha256');
    await pipeline(createReadStream('', { fd: handle, autoClose: false }), sha256);
    return sha256.digest('hex');
  } finally {
    await handle.close();
  }
}
