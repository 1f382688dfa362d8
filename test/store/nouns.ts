/** Rows for the store's tests, filled with what is hard to keep: unicode, quotes, newlines, milliseconds. */
import { randomUUID } from 'node:crypto';
import type { App } from '../../src/core/apps/app.ts';
import type { Build } from '../../src/core/builds/build.ts';
import type { PlatformEvent } from '../../src/core/events/event.ts';
import type { AppName, Handle, ProcessType, SpaceName, TeamName, Username } from '../../src/core/names.ts';
import type { Operation } from '../../src/core/operations/operation.ts';
import type { Pool } from '../../src/core/pools/pool.ts';
import type { Database, Stores } from '../../src/core/ports/database.ts';
import { Secret } from '../../src/core/ports/secret.ts';
import type { Process } from '../../src/core/processes/process.ts';
import type { Release } from '../../src/core/releases/release.ts';
import type { Size } from '../../src/core/sizes/size.ts';
import type { Space } from '../../src/core/spaces/space.ts';
import type { Team } from '../../src/core/teams/team.ts';
import type { UserWithPassword } from '../../src/core/users/user.ts';

export const at = new Date('2026-03-04T05:06:07.089Z');
export const later = new Date('2026-03-04T05:06:08.123Z');
/** Text that breaks whatever quotes by hand. */
export const awkward = `zwölf 🐙 "double" 'single' \\back {"json": [1]} $1 \t;--\nsecond line`;

let count = 0;
export const unique = (word: string): string => {
  count += 1;
  return `${word}${count}`;
};
export const id = (): string => randomUUID();

export const user = (change: Partial<UserWithPassword> = {}): UserWithPassword => {
  const name = unique('user');
  return {
    id: id(),
    username: name as Username,
    email: `${name}@example.org`,
    name: awkward,
    disabled: false,
    passwordHash: '$argon2id$…',
    createdAt: at,
    updatedAt: at,
    lastLoginAt: null,
    ...change,
  };
};

export const team = (change: Partial<Team> = {}): Team => ({
  id: id(),
  name: unique('team') as TeamName,
  description: awkward,
  createdAt: at,
  updatedAt: at,
  ...change,
});

export const pool = (change: Partial<Pool> = {}): Pool => ({
  id: id(),
  name: unique('pool'),
  engine: 'process',
  isDefault: false,
  createdAt: at,
  ...change,
});

export const size = (change: Partial<Size> = {}): Size => ({
  id: id(),
  name: unique('size'),
  description: awkward,
  memoryBytes: 8 * 1024 ** 3,
  cpuShares: 1024,
  pids: 256,
  isDefault: false,
  deprecated: false,
  priceCents: 1200,
  ...change,
});

export const space = (poolId: string, change: Partial<Space> = {}): Space => ({
  id: id(),
  name: unique('space') as SpaceName,
  teamId: null,
  poolId,
  description: awkward,
  compliance: ['socs', awkward],
  createdAt: at,
  updatedAt: at,
  ...change,
});

export interface Ground {
  readonly team: Team;
  readonly pool: Pool;
  readonly space: Space;
}

/** A team, a pool and a space to put apps in. */
export async function ground(db: Stores): Promise<Ground> {
  const made = { team: team(), pool: pool() };
  const room = space(made.pool.id);
  await db.teams.insert(made.team);
  await db.pools.insert(made.pool);
  await db.spaces.insert(room);
  return { ...made, space: room };
}

export const app = (on: Ground, change: Partial<App> = {}): App => {
  const name = unique('app');
  return {
    id: id(),
    name: name as AppName,
    handle: `${name}-${on.space.name}` as Handle,
    teamId: on.team.id,
    spaceId: on.space.id,
    poolId: on.pool.id,
    description: awkward,
    labels: ['a', awkward],
    features: { 'spaces-dns-discovery': true, naïve: false },
    maintenance: false,
    stopped: false,
    restartGeneration: 0,
    currentReleaseId: null,
    createdBy: 'someone',
    createdAt: at,
    updatedAt: at,
    releasedAt: null,
    deletedAt: null,
    ...change,
  };
};

export async function insertedApp(db: Database, on?: Ground): Promise<App> {
  const one = app(on ?? (await ground(db)));
  await db.apps.insert(one);
  return one;
}

export const process = (appId: string, sizeId: string, change: Partial<Process> = {}): Process => ({
  id: id(),
  appId,
  type: 'web' as ProcessType,
  command: awkward,
  quantity: 2,
  sizeId,
  image: 'registry.example/team/app:v1',
  entrypoint: '/bin/run',
  arguments: ['a', awkward],
  stopped: false,
  ports: [],
  routed: true,
  pod: 'pod',
  mounts: [{ path: '/data', from: null, shared: false, sizeBytes: 5 }],
  links: [{ name: 'db', processType: 'svc/db', port: 6379 }],
  healthPath: '/healthz',
  restartGeneration: 0,
  createdAt: at,
  updatedAt: at,
  ...change,
});

export const build = (appId: string, number: number, change: Partial<Build> = {}): Build => ({
  id: id(),
  appId,
  number,
  status: 'queued',
  source: { kind: 'archive', url: new Secret(`https://u:hunter2@example.org/${awkward}`), checksum: 'SHA256:ab' },
  description: {
    checksum: '',
    version: 'v1',
    commit: 'abc',
    branch: 'main',
    author: awkward,
    repository: '',
    message: awkward,
  },
  autoRelease: false,
  artifactDigest: null,
  failureCode: null,
  failureMessage: null,
  createdBy: 'someone',
  createdAt: at,
  startedAt: null,
  finishedAt: null,
  updatedAt: at,
  ...change,
});

export const release = (
  appId: string,
  version: number,
  snapshotId: string,
  change: Partial<Release> = {},
): Release => ({
  id: id(),
  appId,
  version,
  kind: 'deploy',
  status: 'pending',
  artifactDigest: `sha256:${version}`,
  buildId: null,
  processes: {
    'svc/db': { image: 'x/y/z', artifactDigest: `sha256:own${version}`, command: ['a', awkward], series: 1 },
  },
  configSnapshotId: snapshotId,
  commands: { web: awkward, 'svc/comp': 'x' },
  strategy: 'one-by-one',
  description: awkward,
  rollbackOf: null,
  failureCode: null,
  failureMessage: null,
  createdBy: 'someone',
  createdAt: at,
  updatedAt: at,
  ...change,
});

export const operation = (change: Partial<Operation> = {}): Operation => ({
  id: id(),
  kind: 'build',
  appId: null,
  subjectId: null,
  status: 'queued',
  cancelRequested: false,
  attempts: 0,
  error: null,
  createdAt: at,
  startedAt: null,
  finishedAt: null,
  ...change,
});

export const event = (change: Partial<PlatformEvent> = {}): Omit<PlatformEvent, 'sequence'> => ({
  id: id(),
  kind: 'AppCreated',
  at,
  actorName: 'someone',
  actorId: null,
  teamId: null,
  spaceId: null,
  appId: null,
  data: { name: awkward, deep: { list: [1, 'zwei', null] } },
  ...change,
});
