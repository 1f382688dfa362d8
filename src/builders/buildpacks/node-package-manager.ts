/** Chooses npm, yarn or pnpm by the lockfile, and knows their command lines. Pure. */
import { BuildFailure } from '../../core/ports/builder.ts';

export interface PackageManager {
  readonly name: 'npm' | 'yarn' | 'pnpm';
  /** What the log calls the installation. */
  readonly title: string;
  install(withoutDev: boolean): readonly string[];
  prune(): readonly string[] | null;
  /** Runs a script of package.json. */
  script(name: string): readonly string[];
  /** Keeps downloads in the cache folder. */
  readonly environment: Readonly<Record<string, string>>;
}

const lockfiles = [
  ['package-lock.json', 'npm'],
  ['npm-shrinkwrap.json', 'npm'],
  ['yarn.lock', 'yarn'],
  ['pnpm-lock.yaml', 'pnpm'],
] as const;
const defaultVersions = { yarn: '1.22.22', pnpm: '9.15.9' } as const;

const npmEnvironment = (cache: string): Record<string, string> => ({
  npm_config_cache: `${cache}/npm`,
  npm_config_update_notifier: 'false',
  npm_config_fund: 'false',
  npm_config_audit: 'false',
  npm_config_progress: 'false',
});

/**
 * `names` are the files of the source's root; `wanted` is package.json's `packageManager`, which decides the version and, without a
 * lockfile, the manager; `cache` is the folder for downloads as jobs see it. Throws BuildFailure `source` when lockfiles of several managers lie there, or `wanted` is malformed.
 */
export function choosePackageManager(names: ReadonlySet<string>, wanted: string | null, cache: string): PackageManager {
  const found = lockfiles.filter(([file]) => names.has(file));
  const managers = new Set(found.map(([, manager]) => manager));
  if (managers.size > 1) {
    throw new BuildFailure('source', `keep one lockfile: there are ${found.map(([file]) => file).join(' and ')}`);
  }
  const [, wantedName, wantedVersion] =
    /^(npm|yarn|pnpm)@(\d+\.\d+\.\d+(?:-[\w.]+)?)(?:\+[\w.]+)?$/.exec(wanted ?? '') ?? [];
  if (wanted !== null && wantedName === undefined) {
    throw new BuildFailure('source', 'packageManager in package.json must be npm, yarn or pnpm with an exact version');
  }
  const name = [...managers][0] ?? (wantedName as PackageManager['name'] | undefined) ?? 'npm';
  const locked = managers.size > 0;
  if (name === 'npm') return npm(locked, cache);
  const version = wantedName === name && wantedVersion !== undefined ? wantedVersion : defaultVersions[name];
  return name === 'pnpm' ? pnpm(version, locked, cache) : yarn(version, locked, cache);
}

function npm(locked: boolean, cache: string): PackageManager {
  const verb = locked ? 'ci' : 'install';
  return {
    name: 'npm',
    title: `npm ${verb}`,
    install: (withoutDev) => ['npm', verb, withoutDev ? '--omit=dev' : '--include=dev'],
    prune: () => ['npm', 'prune', '--omit=dev'],
    script: (name) => ['npm', 'run', '--', name],
    environment: npmEnvironment(cache),
  };
}

/** Fetched by npm into its cache, so that nothing but npm has to be on the machine. */
const viaNpm = (name: string, version: string): string[] => [
  'npm',
  'exec',
  '--yes',
  `--package=${name}@${version}`,
  '--',
  name,
];

function pnpm(version: string, locked: boolean, cache: string): PackageManager {
  const base = viaNpm('pnpm', version);
  // A store in another mount cannot be linked from, and copies are what an artifact wants.
  const flags = ['--store-dir', `${cache}/pnpm`, '--package-import-method', 'copy'];
  return {
    name: 'pnpm',
    title: `pnpm ${version} install`,
    install: (withoutDev) => [
      ...base,
      'install',
      locked ? '--frozen-lockfile' : '--no-frozen-lockfile',
      withoutDev ? '--prod' : '--prod=false',
      ...flags,
    ],
    // `pnpm prune` takes no store, and without the same one would ask whether to start over.
    prune: () => [...base, 'install', '--prod', '--ignore-scripts', '--prefer-offline', ...flags],
    script: (name) => [...base, 'run', name],
    environment: { ...npmEnvironment(cache), CI: 'true' },
  };
}

function yarn(version: string, locked: boolean, cache: string): PackageManager {
  if (!version.startsWith('1.')) return modernYarn(version, locked, cache);
  const base = viaNpm('yarn', version);
  const flags = ['--non-interactive', ...(locked ? ['--frozen-lockfile'] : [])];
  return {
    name: 'yarn',
    title: `yarn ${version} install`,
    install: (withoutDev) => [...base, 'install', ...flags, `--production=${withoutDev}`],
    prune: () => [...base, 'install', ...flags, '--production=true', '--ignore-scripts', '--prefer-offline'],
    script: (name) => [...base, 'run', name],
    environment: { ...npmEnvironment(cache), YARN_CACHE_FOLDER: `${cache}/yarn` },
  };
}

/** Yarn 2 and up: its package is `@yarnpkg/cli-dist`. Its plug'n'play files stay as they are. */
function modernYarn(version: string, locked: boolean, cache: string): PackageManager {
  const base = ['npm', 'exec', '--yes', `--package=@yarnpkg/cli-dist@${version}`, '--', 'yarn'];
  return {
    name: 'yarn',
    title: `yarn ${version} install`,
    install: () => [...base, 'install', ...(locked ? ['--immutable'] : [])],
    prune: () => null,
    script: (name) => [...base, 'run', name],
    environment: { ...npmEnvironment(cache), YARN_CACHE_FOLDER: `${cache}/yarn`, YARN_ENABLE_TELEMETRY: '0' },
  };
}
