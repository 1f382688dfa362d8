/**
 * Where the embedded server keeps its files, so that the account it runs as reaches them and nobody else does.
 * `<data>/postgres` holds `password`, and beside it the cluster, the socket's folder and the log, unless the account cannot get there:
 * then those lie under /var/lib/berth and `<data>/postgres/location` says where.
 */
import { createHash, randomBytes } from 'node:crypto';
import { chmod, chown, lstat, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Logger } from '../../lib/logger.ts';
import { type Account, barrierTo } from './account.ts';

export interface Folders {
  readonly cluster: string;
  readonly socket: string;
  readonly log: string;
  /** Read by us alone. */
  readonly password: string;
  /** For anything else that the account must reach. */
  readonly base: string;
}

const ELSEWHERE = '/var/lib/berth';
/** A socket's path has at most 107 bytes, and PostgreSQL adds `/.s.PGSQL.<port>`. */
const MAX_SOCKET_FOLDER = 107 - '/.s.PGSQL.65535'.length;

/** Makes the folders with their owners and modes. */
export async function prepareFolders(dataFolder: string, account: Account | null, logger: Logger): Promise<Folders> {
  const own = join(dataFolder, 'postgres');
  await mkdir(own, { recursive: true, mode: 0o700 });
  if (account !== null) for (const folder of [dataFolder, own]) await letPass(folder, account);
  const base = await baseFolder(own, account, logger);
  const socket = await socketFolder(base, account);
  return {
    base,
    cluster: join(base, 'cluster'),
    socket,
    log: join(base, 'server.log'),
    password: join(own, 'password'),
  };
}

/** A folder of ours that was closed to all is opened for passing to the account's group alone. */
async function letPass(folder: string, account: Account): Promise<void> {
  const { mode, uid } = await stat(folder);
  if ((mode & 0o077) !== 0 || uid !== process.geteuid?.()) return;
  await chown(folder, uid, account.gid);
  await chmod(folder, 0o710);
}

async function baseFolder(own: string, account: Account | null, logger: Logger): Promise<string> {
  const note = join(own, 'location');
  const noted = await readFile(note, 'utf8').catch(() => null);
  if (noted !== null) return noted.trim();
  const barrier = await barrierTo(own, account);
  if (account === null || barrier === null) return own;
  const base = join(ELSEWHERE, `postgres-${randomBytes(6).toString('hex')}`);
  await mkdir(base, { recursive: true, mode: 0o755 });
  await chmod(base, 0o711);
  await writeFile(note, `${base}\n`, { mode: 0o600 });
  logger.warn(
    { folder: base, barrier, user: account.name },
    'the database lies outside the data folder, which its user cannot reach',
  );
  return base;
}

async function socketFolder(base: string, account: Account | null): Promise<string> {
  const near = join(base, 'socket');
  // PostgreSQL reads the setting as a list: commas and quotes in a path would end it.
  const fits = Buffer.byteLength(near) <= MAX_SOCKET_FOLDER && !/[,"'\\\n]/.test(near);
  const name = `berth-${createHash('sha256').update(base).digest('hex').slice(0, 16)}`;
  const folder = fits ? near : join(tmpdir(), name);
  await ownFolder(folder, account);
  return folder;
}

/** A folder that the account alone may enter; refuses one that somebody else planted. */
export async function ownFolder(folder: string, account: Account | null): Promise<void> {
  const uid = account?.uid ?? process.geteuid?.() ?? 0;
  try {
    await mkdir(folder, { mode: 0o700 });
    if (account !== null) await chown(folder, account.uid, account.gid);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const found = await lstat(folder);
  if (found.isDirectory() && found.uid === process.geteuid?.() && account !== null) {
    // Ours, from a start that was cut off before it gave the folder away.
    await chown(folder, account.uid, account.gid);
  } else if (!found.isDirectory() || found.uid !== uid) {
    throw new Error(`${folder} belongs to somebody else`);
  }
  await chmod(folder, 0o700);
}
