/** Makes the database cluster, whole or not at all. */
import { randomBytes } from 'node:crypto';
import { chown, mkdir, open, readFile, rename, rm, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../../lib/exec.ts';
import type { Account } from './account.ts';
import type { Binaries } from './binaries.ts';
import type { Folders } from './folders.ts';

export const SUPERUSER = 'berth';
const INITDB_TIMEOUT_MS = 120_000;

/** The major version that made the cluster, or null when there is none yet. */
export async function clusterVersion(cluster: string): Promise<number | null> {
  const text = await readFile(join(cluster, 'PG_VERSION'), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  return text === null ? null : Number(text.trim());
}

export interface InitOptions {
  readonly folders: Folders;
  readonly binaries: Binaries;
  readonly account: Account | null;
  readonly password: string;
  /** False: do not wait for the disk; for clusters that need not survive a power cut. */
  readonly durable: boolean;
}

/**
 * Made beside its place and then renamed to it: a start that is cut off leaves no half cluster, and of two at once one wins.
 * Everybody needs the password, on the socket too.
 */
export async function initCluster(options: InitOptions): Promise<void> {
  const { folders, binaries, account, password } = options;
  const draft = join(folders.base, `cluster-${randomBytes(6).toString('hex')}.draft`);
  const passwordFile = `${draft}.password`;
  try {
    await mkdir(draft, { mode: 0o700 });
    await writeFile(passwordFile, password, { mode: 0o600, flag: 'wx' });
    if (account !== null) for (const path of [draft, passwordFile]) await chown(path, account.uid, account.gid);
    const result = await run(
      [
        join(binaries.folder, 'initdb'),
        `--pgdata=${draft}`,
        `--username=${SUPERUSER}`,
        `--pwfile=${passwordFile}`,
        '--auth=scram-sha-256',
        '--encoding=UTF8',
        // Sorting by bytes is the same on every machine, so indexes survive an upgrade of its libraries.
        '--locale=C',
        '--data-checksums',
        '--no-instructions',
        ...(options.durable ? [] : ['--no-sync']),
      ],
      {
        environment: { LC_ALL: 'C', TZ: 'UTC', PATH: binaries.folder },
        cwd: '/',
        timeoutMs: INITDB_TIMEOUT_MS,
        ...(account === null ? {} : { uid: account.uid, gid: account.gid }),
      },
    );
    if (result.code !== 0)
      throw new Error(`initdb ended with ${result.code ?? result.signal}: ${result.stderr.trim().slice(-500)}`);
    await moveInPlace(draft, folders.cluster);
    if (options.durable) await syncFolder(folders.base);
  } finally {
    await unlink(passwordFile).catch(() => {});
    await rm(draft, { recursive: true, force: true });
  }
}

async function moveInPlace(draft: string, cluster: string): Promise<void> {
  try {
    await rename(draft, cluster);
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    // Another start was quicker; its password is the same.
    if (!['ENOTEMPTY', 'EEXIST'].includes(code) || (await clusterVersion(cluster)) === null) throw error;
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  await folder.sync().finally(() => folder.close());
}
