/**
 * Which files of this machine make the image under every artifact: those of its own Debian packages, so that what was built in a sandbox on
 * the machine's /usr finds the same libraries inside. Pure but for the reading.
 */
import { lstatSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

const database = '/var/lib/dpkg';

/** Beside what every Debian has: languages, certificates, what people type in a shell, and what the platform's own containers need. */
const wanted = [
  'ca-certificates',
  'curl',
  'iproute2',
  'iptables',
  'libcurl4',
  'libgmp10',
  'libjpeg62-turbo',
  'libpng16-16',
  'libpq5',
  'libstdc++6',
  'libwebp7',
  'libxml2',
  'libxslt1.1',
  'libyaml-0-2',
  'openssl',
  'procps',
  'python3',
  'python3-venv',
  'tzdata',
];
const leftOut = /^\/usr\/share\/(?:doc|doc-base|man|info|locale|lintian|bash-completion)(?:\/|$)/;

export interface StackFiles {
  /** Absolute paths below /usr, sorted; folders come before what is in them. */
  readonly paths: readonly string[];
  /** `name=version` of each package, sorted. */
  readonly packages: readonly string[];
}

interface Package {
  readonly version: string;
  readonly essential: boolean;
  /** Each is a list of alternatives. */
  readonly depends: readonly (readonly string[])[];
}

/** Null where there is no Debian package database. */
export function stackFiles(): StackFiles | null {
  let status: string;
  try {
    status = readFileSync(join(database, 'status'), 'utf8');
  } catch {
    return null;
  }
  const { packages, provided } = readStatus(status);
  const chosen = closure(packages, provided);
  const paths = new Set<string>();
  for (const name of chosen) for (const path of filesOf(name)) addPath(paths, path);
  addAlternatives(paths);
  return {
    paths: [...paths].sort(),
    packages: [...chosen].map((name) => `${name}=${packages.get(name)?.version ?? ''}`).sort(),
  };
}

/** What is installed, and which package stands for a virtual one. */
export function readStatus(text: string) {
  const packages = new Map<string, Package>();
  const provided = new Map<string, string>();
  for (const paragraph of text.split('\n\n')) {
    const field = (name: string): string => new RegExp(`^${name}: (.*)$`, 'm').exec(paragraph)?.[1] ?? '';
    const name = field('Package');
    if (name === '' || field('Status') !== 'install ok installed') continue;
    const depends = [field('Pre-Depends'), field('Depends')].flatMap(wordsOf).map((word) => word.split('|').map(plain));
    packages.set(name, { version: field('Version'), essential: field('Essential') === 'yes', depends });
    for (const word of wordsOf(field('Provides'))) provided.set(plain(word), name);
  }
  return { packages, provided };
}

const wordsOf = (list: string): string[] => list.split(',').filter((word) => word.trim() !== '');
/** `libc6:any (>= 2.36)` → `libc6`. */
const plain = (word: string): string =>
  word
    .replace(/[([].*/s, '')
    .trim()
    .split(':')[0] ?? '';

function closure(packages: ReadonlyMap<string, Package>, provided: ReadonlyMap<string, string>): Set<string> {
  const essential = [...packages].flatMap(([name, { essential: must }]) => (must ? [name] : []));
  const open = [...essential, ...wanted.filter((name) => packages.has(name))];
  const chosen = new Set<string>();
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (chosen.has(name)) continue;
    chosen.add(name);
    for (const alternatives of packages.get(name)?.depends ?? []) {
      const found = alternatives.map((each) => (packages.has(each) ? each : provided.get(each))).find(Boolean);
      if (found !== undefined) open.push(found);
    }
  }
  return chosen;
}

function filesOf(name: string): string[] {
  const list = readdirSync(join(database, 'info')).length === 0 ? [] : [name, `${name}:amd64`, `${name}:arm64`];
  for (const each of list) {
    try {
      return readFileSync(join(database, 'info', `${each}.list`), 'utf8').split('\n');
    } catch {}
  }
  return [];
}

/** Packages still speak of /bin and /lib, which lie in /usr. */
function addPath(paths: Set<string>, path: string): void {
  if (path === '' || path === '/.' || leftOut.test(path) || /^\/(?:etc|var|boot|dev|run|tmp)(?:\/|$)/.test(path))
    return;
  try {
    const real = join(realpathSync(dirname(path)), basename(path));
    lstatSync(real);
    if (real.startsWith('/usr/') && !leftOut.test(real)) paths.add(real);
  } catch {}
}

/** Names that several programs may have (`iptables`, `awk`) are links that no package's list tells of. */
function addAlternatives(paths: Set<string>): void {
  let files: string[] = [];
  try {
    files = readdirSync(join(database, 'alternatives'));
  } catch {}
  for (const file of files) {
    for (const link of readFileSync(join(database, 'alternatives', file), 'utf8').split('\n')) {
      if (!link.startsWith('/usr/') && !/^\/s?bin\//.test(link)) continue;
      try {
        if (lstatSync(link).isSymbolicLink() && paths.has(realpathSync(link))) addPath(paths, link);
      } catch {}
    }
  }
}
