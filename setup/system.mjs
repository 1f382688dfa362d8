/** Programs of the system that isolation and tests use. As root on Debian they are installed; elsewhere it is said what is missing. */
import { accessSync, constants, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { runQuietly, withProgress } from './child.mjs';

/** Where sandboxes and the platform's own helpers look, whatever PATH says: a Python of a version manager is in no sandbox. */
const folders = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** What is needed, by Debian package. util-linux (nsenter, setpriv) and coreutils are part of every Debian. */
const needs = {
  bubblewrap: async () => findProgram('bwrap') !== null,
  iptables: async () => findProgram('iptables') !== null,
  openssl: async () => findProgram('openssl') !== null,
  git: async () => findProgram('git') !== null,
  // Only the tests push over SSH from here.
  'openssh-client': async () => findProgram('ssh') !== null,
  iproute2: async () => findProgram('ip') !== null,
  python3: async () => findProgram('python3', ['/usr/bin']) !== null,
  // Debian leaves out of its Python what makes virtual environments.
  'python3-venv': async () => (await runQuietly(['/usr/bin/python3', '-I', '-c', 'import ensurepip'])).code === 0,
};

/** The path of a program in the system's folders, or null. */
export function findProgram(name, where = folders) {
  for (const folder of where) {
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
  const present = await Promise.all(Object.values(needs).map((isPresent) => isPresent()));
  const missing = Object.keys(needs).filter((_, index) => !present[index]);
  if (missing.length > 0)
    await installPackages(missing, 'isolation of apps is weaker, Python apps do not build, and git push is off');
}

/** What the tests of the docker engine start daemons and registries of their own from; as anyone but root they skip. */
export async function ensureDocker() {
  const needed = { 'docker.io': 'dockerd', 'docker-registry': 'docker-registry', openssl: 'openssl' };
  const missing = Object.keys(needed).filter((name) => findProgram(needed[name]) === null);
  if (process.getuid?.() === 0 && missing.length > 0)
    await installPackages(missing, 'the tests of the docker engine skip');
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
