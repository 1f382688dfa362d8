/** Programs of the system that isolation and tests use. As root on Debian they are installed; elsewhere it is said what is missing. */
import { accessSync, constants, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { runQuietly, withProgress } from './child.mjs';

/** Program → Debian package. */
const programs = {
  bwrap: 'bubblewrap',
  iptables: 'iptables',
  ip: 'iproute2',
  socat: 'socat',
  python3: 'python3',
};

/** The path of a program; /usr/sbin is looked at even where PATH leaves it out. */
export function findProgram(name) {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin'];
  for (const folder of folders) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {}
  }
  return null;
}

/** Makes sure of the programs as far as the machine allows; never throws. BERTH_NO_APT=1 leaves the system alone. */
export async function ensurePrograms() {
  const missing = Object.entries(programs).flatMap(([program, pack]) => (findProgram(program) === null ? [pack] : []));
  if (missing.length > 0) await installPackages(missing, 'isolation of apps is weaker without them');
}

/** Installs Debian packages as root; otherwise, or when that fails, says which are missing and what it means. True when installed. */
export async function installPackages(packages, meaning) {
  const hint = `missing: ${packages.join(' ')} (${meaning}). Install with: apt-get install ${packages.join(' ')}`;
  const mayInstall = process.getuid?.() === 0 && findProgram('apt-get') !== null && process.env.BERTH_NO_APT !== '1';
  if (!mayInstall) {
    console.error(hint);
    return false;
  }
  return withProgress(`installing ${packages.join(' ')}`, async () => {
    if (!hasPackageLists()) await aptGet(['update']);
    let result = await aptGet(['install', '-y', '--no-install-recommends', ...packages]);
    // The lists may be older than the mirror.
    if (result.code !== 0 && (await aptGet(['update'])).code === 0) {
      result = await aptGet(['install', '-y', '--no-install-recommends', ...packages]);
    }
    if (result.code !== 0)
      console.error(`\n${hint}\napt-get said: ${result.output.trim().split('\n').slice(-3).join('\n')}`);
    return result.code === 0;
  });
}

function aptGet(argv) {
  const settings = ['-q', '-o', 'DPkg::Lock::Timeout=180', '-o', 'Dpkg::Options::=--force-confold'];
  return runQuietly(['apt-get', ...settings, ...argv], { environment: { DEBIAN_FRONTEND: 'noninteractive' } });
}

function hasPackageLists() {
  try {
    return readdirSync('/var/lib/apt/lists').some((name) => name.includes('Packages'));
  } catch {
    return false;
  }
}
