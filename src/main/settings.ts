/**
 * Every setting of Berth, in one table: parsed, checked and documented here only (docs/operate/settings.md is printed from it).
 * Sources, the first that says something wins: flags, environment, the file named by BERTH_CONFIG or --config.
 */
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { resolve } from 'node:path';
import { BerthError } from '../core/errors.ts';
import { Secret } from '../core/ports/secret.ts';

interface Definition<T> {
  readonly name: string;
  readonly fallback: T;
  /** The default in words, where it is no plain value. */
  readonly shown?: string;
  readonly about: string;
  parse(text: string): T;
}

const wrong = (name: string, words: string): never => {
  throw new BerthError('invalid', `${name} must be ${words}`, { field: name });
};

function text(
  name: string,
  fallback: string,
  about: string,
  pattern = /^[^\0\n]*$/,
  words = 'one line of text',
): Definition<string> {
  return { name, fallback, about, parse: (value) => (pattern.test(value) ? value : wrong(name, words)) };
}
function secret(name: string, about: string, shown: string): Definition<Secret | null> {
  return { name, fallback: null, about, shown, parse: (value) => new Secret(value) };
}
function whole(
  name: string,
  fallback: number,
  min: number,
  max: number,
  about: string,
  shown?: string,
): Definition<number> {
  const parse = (value: string): number => {
    const number = Number(value);
    return /^-?\d+$/.test(value) && number >= min && number <= max
      ? number
      : wrong(name, `a whole number from ${min} to ${max}`);
  };
  return shown === undefined ? { name, fallback, about, parse } : { name, fallback, about, parse, shown };
}
function choice<T extends string>(
  name: string,
  fallback: T,
  choices: readonly T[],
  about: string,
  shown?: string,
): Definition<T> {
  const parse = (value: string): T =>
    choices.find((item) => item === value) ?? wrong(name, `one of ${choices.join(', ')}`);
  const definition = { name, fallback, about: `${about} (${choices.join(' | ')})`, parse };
  return shown === undefined ? definition : { ...definition, shown };
}
function flag(name: string, fallback: boolean, about: string): Definition<boolean> {
  const parse = (value: string): boolean =>
    /^(true|1|yes|on)$/i.test(value) ? true : /^(false|0|no|off)$/i.test(value) ? false : wrong(name, 'true or false');
  return { name, fallback, about, parse };
}

const derived = -1;

export const definitions = {
  data: text('BERTH_DATA', './.berth', 'Folder of all state of the embedded defaults.'),
  host: text(
    'BERTH_HOST',
    '127.0.0.1',
    'Address that the APIs and the router listen on. Loopback unless you say otherwise.',
    /^[0-9a-fA-F:.]+$/,
    'an IP address',
  ),
  port: whole(
    'BERTH_PORT',
    7700,
    1,
    65_000,
    'Dashboard, health, and every dialect by Host; +1 Giant Swarm, +2 Akkeris, +3 tsuru, +4 Scalingo.',
  ),
  routerHttpPort: whole('BERTH_ROUTER_HTTP_PORT', derived, 0, 65_535, 'HTTP port of the router.', 'BERTH_PORT + 80'),
  routerHttpsPort: whole('BERTH_ROUTER_HTTPS_PORT', derived, 0, 65_535, 'HTTPS port of the router.', 'BERTH_PORT + 43'),
  ssh: flag('BERTH_SSH', true, 'Whether git push and database tunnels are served over SSH.'),
  sshPort: whole(
    'BERTH_SSH_PORT',
    derived,
    0,
    65_535,
    'Port of git push and database tunnels over SSH.',
    'BERTH_PORT + 22',
  ),
  routerWorkers: whole(
    'BERTH_ROUTER_WORKERS',
    Math.min(2, cpus().length),
    1,
    64,
    'Router worker processes.',
    'min(2, cores)',
  ),
  baseDomain: text(
    'BERTH_BASE_DOMAIN',
    'berth.localhost',
    'An app answers at <handle>.<base domain>:<router port>.',
    /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/,
    'a host name in lower case',
  ),
  databaseUrl: secret(
    'BERTH_DATABASE_URL',
    'postgres:// URL of a PostgreSQL server, 15 or newer.',
    'an embedded PostgreSQL in BERTH_DATA',
  ),
  postgresAddonUrl: secret(
    'BERTH_POSTGRES_ADDON_URL',
    'postgres:// URL of the PostgreSQL server, 15 or newer, on which add-ons get their databases, as a role that may make roles and databases. Never the one of BERTH_DATABASE_URL.',
    'an embedded PostgreSQL in BERTH_DATA, started with the first add-on',
  ),
  postgresAddonPort: whole(
    'BERTH_POSTGRES_ADDON_PORT',
    derived,
    1,
    65_535,
    'Port of the loopback on which the embedded PostgreSQL of add-ons listens.',
    'BERTH_PORT + 32',
  ),
  engine: choice('BERTH_ENGINE', 'process', ['process', 'docker'], 'What runs instances.'),
  dockerHost: {
    ...text(
      'BERTH_DOCKER_HOST',
      '',
      'Docker daemon of the docker engine: a manager of its Swarm, or in none yet. unix://… or, with BERTH_DOCKER_TLS, tcp://host:port. When it is named, pools of the docker engine work also with BERTH_ENGINE=process.',
      /^(?:unix:\/\/\/|tcp:\/\/|https:\/\/)\S+$/,
      'unix:///path/to/docker.sock or tcp://host:port',
    ),
    shown: '`unix:///var/run/docker.sock`',
  },
  dockerTlsFolder: text(
    'BERTH_DOCKER_TLS',
    '',
    'Folder with ca.pem, cert.pem and key.pem for BERTH_DOCKER_HOST over TCP.',
  ),
  dockerAddressPool: text(
    'BERTH_DOCKER_ADDRESS_POOL',
    '10.64.0.0/10',
    'Block of IPv4 addresses that spaces get theirs from on the docker engine; nothing else around may use it.',
    /^\d{1,3}(?:\.\d{1,3}){3}\/(?:[89]|1\d|2[0-2])$/,
    'a block of IPv4 addresses such as 10.64.0.0/10',
  ),
  dockerAdvertiseAddress: text(
    'BERTH_DOCKER_ADVERTISE_ADDRESS',
    '127.0.0.1',
    'Address under which other nodes will reach a Swarm that Berth begins; the loopback for one that stays alone.',
    /^\d{1,3}(?:\.\d{1,3}){3}$/,
    'an IPv4 address',
  ),
  dockerRouters: text(
    'BERTH_DOCKER_ROUTERS',
    '',
    'IPv4 addresses, with commas between, of routers on other machines than the Docker node.',
    /^(?:\d{1,3}(?:\.\d{1,3}){3}(?:,|$))*$/,
    'IPv4 addresses with commas between',
  ),
  dockerRegistries: text(
    'BERTH_DOCKER_REGISTRIES',
    '',
    'Registries (host or host:port), with commas between, from which images may come although they are at loopback or private addresses.',
    /^(?:[A-Za-z0-9][A-Za-z0-9.-]*(?::\d{1,5})?(?:,|$))*$/,
    'hosts, or host:port, with commas between',
  ),
  dockerRegistry: text(
    'BERTH_DOCKER_REGISTRY',
    '',
    'Registry, host[:port][/prefix], through which images that Berth makes get from one Docker node to the others. Empty: they are handed from node to node.',
    /^(?:[A-Za-z0-9][A-Za-z0-9.-]*(?::\d{1,5})?(?:\/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*)?$/,
    'host[:port][/prefix], without https://',
  ),
  dockerRegistryUsername: text('BERTH_DOCKER_REGISTRY_USERNAME', '', 'User of BERTH_DOCKER_REGISTRY.'),
  dockerRegistryPassword: secret('BERTH_DOCKER_REGISTRY_PASSWORD', 'Password of that user.', ''),
  dockerAllowRoot: flag(
    'BERTH_DOCKER_ALLOW_ROOT',
    false,
    'Images that say root, or nobody, run as root in their containers (with few rights) instead of as user 10001: for images that make their folders first and become somebody else then.',
  ),
  dockerFreeSpaceGibibytes: whole(
    'BERTH_DOCKER_FREE_SPACE',
    5,
    0,
    1_000_000,
    'GiB that stay free on the disk of each Docker node: below, images and build cache that nobody needs go at once, and nothing is built or pulled.',
  ),
  isolation: choice(
    'BERTH_ISOLATION',
    'auto',
    ['auto', 'none'],
    'How the process engine keeps instances apart: as much as the machine allows, or not at all.',
  ),
  signUp: flag(
    'BERTH_SIGN_UP',
    false,
    'Whether strangers may make themselves an account, over the APIs that offer it; else administrators make them.',
  ),
  appsQuota: whole('BERTH_QUOTA_APPS', -1, -1, 1_000_000, 'Apps that a team or person may have; -1 for any number.'),
  instancesQuota: whole(
    'BERTH_QUOTA_INSTANCES',
    -1,
    -1,
    1_000_000,
    'Instances that an app may be scaled to, all processes together; -1 for any number.',
  ),
  adminUsername: text('BERTH_ADMIN_USERNAME', 'admin', 'First boot only.'),
  adminEmail: text('BERTH_ADMIN_EMAIL', 'admin@berth.localhost', 'First boot only.'),
  adminPassword: secret('BERTH_ADMIN_PASSWORD', 'First boot only; at least 12 characters.', 'random'),
  adminToken: secret('BERTH_ADMIN_TOKEN', 'First boot only; at least 24 characters.', 'random'),
  secretKey: secret(
    'BERTH_SECRET_KEY',
    'Key of all secrets at rest, 64 hex digits.',
    'random, in BERTH_DATA/secret.key',
  ),
  logLevel: choice(
    'BERTH_LOG_LEVEL',
    'auto',
    ['auto', 'debug', 'info', 'warn', 'error', 'silent'],
    'How much the platform logs of itself; auto is warn on a terminal, info elsewhere',
  ),
  logFormat: choice(
    'BERTH_LOG_FORMAT',
    'auto',
    ['auto', 'json', 'readable'],
    'Readable on a terminal, JSON elsewhere.',
  ),
  buildsAtOnce: whole('BERTH_BUILDS_AT_ONCE', 2, 1, 64, 'Builds that run at a time; the others wait in line.'),
  bootTimeoutSeconds: whole('BERTH_BOOT_TIMEOUT', 60, 1, 3_600, 'Seconds in which a new instance must become healthy.'),
  drainTimeoutSeconds: whole(
    'BERTH_DRAIN_TIMEOUT',
    30,
    0,
    3_600,
    'Seconds that requests in flight get before their instance stops.',
  ),
  graceSeconds: whole('BERTH_GRACE', 10, 0, 3_600, 'Seconds from SIGTERM to SIGKILL.'),
  allowPrivateSources: flag(
    'BERTH_ALLOW_PRIVATE_SOURCES',
    false,
    'Whether URLs of sources and add-on providers may lead to loopback and private addresses.',
  ),
  logRetainMebibytes: whole('BERTH_LOG_RETAIN_MB', 20, 1, 1_000_000, 'MiB of log kept for each app.'),
} as const;

type Values = {
  readonly [K in keyof typeof definitions]: (typeof definitions)[K] extends Definition<infer T> ? T : never;
};
export type Settings = Values;

/** Merges the sources and checks each value. Throws `invalid` naming the setting; an unknown BERTH_ name in a file or flag is refused too. */
export function readSettings(
  argv: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): { settings: Settings; rest: readonly string[] } {
  const { flags, rest } = readFlags(argv);
  const file = flags.get('BERTH_CONFIG') ?? environment.BERTH_CONFIG;
  const fromFile = file === undefined ? new Map<string, string>() : readFile(file);
  const values: Record<string, unknown> = {};
  for (const [key, definition] of Object.entries(definitions)) {
    const said = flags.get(definition.name) ?? environment[definition.name] ?? fromFile.get(definition.name);
    values[key] = said === undefined || said === '' ? definition.fallback : definition.parse(said);
  }
  const settings = values as Settings;
  return {
    settings: {
      ...settings,
      data: resolve(settings.data),
      routerHttpPort: settings.routerHttpPort === derived ? settings.port + 80 : settings.routerHttpPort,
      routerHttpsPort: settings.routerHttpsPort === derived ? settings.port + 43 : settings.routerHttpsPort,
      postgresAddonPort: settings.postgresAddonPort === derived ? settings.port + 32 : settings.postgresAddonPort,
      sshPort: settings.sshPort === derived ? settings.port + 22 : settings.sshPort,
    },
    rest,
  };
}

const names = new Set<string>([...Object.values(definitions).map((definition) => definition.name), 'BERTH_CONFIG']);
const settingOfFlag = (name: string): string => `BERTH_${name.replaceAll('-', '_').toUpperCase()}`;

function readFlags(argv: readonly string[]): { flags: Map<string, string>; rest: readonly string[] } {
  const flags = new Map<string, string>();
  const rest: string[] = [];
  for (let index = 0; index < argv.length; index += 1) {
    const argument = argv[index] ?? '';
    const [, word = '', inline] = /^--([a-z][a-z0-9-]*)(?:=(.*))?$/s.exec(argument) ?? [];
    const name = settingOfFlag(word);
    if (word === '' || !names.has(name)) {
      rest.push(argument);
      continue;
    }
    if (inline === undefined) index += 1;
    const value = inline ?? argv[index];
    if (value === undefined) throw new BerthError('invalid', `--${word} needs a value`, { field: name });
    flags.set(name, value);
  }
  return { flags, rest };
}

function readFile(path: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const [index, line] of readFileSync(path, 'utf8').split('\n').entries()) {
    if (/^\s*(#|$)/.test(line)) continue;
    const [, name, value = ''] = /^\s*([A-Z_]+)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (name === undefined || !names.has(name))
      throw new BerthError('invalid', `${path}:${index + 1}: no such setting; write NAME=value, one a line`, {
        field: name ?? 'BERTH_CONFIG',
      });
    found.set(name, value.replace(/^"(.*)"$/s, '$1'));
  }
  return found;
}

/** The settings as an environment, for handing them to a child process whole. */
export function settingsEnvironment(settings: Settings): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const [key, definition] of Object.entries(definitions)) {
    const value = settings[key as keyof Settings];
    if (value !== null) environment[definition.name] = value instanceof Secret ? value.reveal() : String(value);
  }
  return environment;
}
