/**
 * A core as it is served by dialects, over a real database, log store and blob folder, and the simulated engine: no builds run and no
 * controller works, so a test decides itself what has been built and what runs. With callers who may do different things.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { createBlobFolder } from '../../src/builders/blob-folder.ts';
import { systemActor } from '../../src/core/access/actor.ts';
import type { Build } from '../../src/core/builds/build.ts';
import { type Core, createCore } from '../../src/core/core.ts';
import { spaceName } from '../../src/core/names.ts';
import type { AddonProviders } from '../../src/core/ports/addon-provider.ts';
import type { BlobStore } from '../../src/core/ports/blob-store.ts';
import type { Clock, Ids } from '../../src/core/ports/clock.ts';
import type { Database } from '../../src/core/ports/database.ts';
import { Secret, type SecretBox } from '../../src/core/ports/secret.ts';
import { defaultSizes } from '../../src/core/sizes/default-sizes.ts';
import { SimulatedEngine } from '../../src/engines/simulated/simulated-engine.ts';
import type { Dialect } from '../../src/http/dialect.ts';
import { createServer } from '../../src/http/server.ts';
import { systemClock, systemIds } from '../../src/lib/clock.ts';
import { type Logger, silentLogger } from '../../src/lib/logger.ts';
import { passwordHasher } from '../../src/lib/password.ts';
import { createLogStore, type DiskLogStore } from '../../src/logging/log-store.ts';
import { runAddonLoop } from './addon-loop.ts';
import { testBox, testDatabase } from './postgres.ts';

export const PASSWORD = 'a long enough password';

/** What every dialect is made of. */
export interface CommonParts {
  readonly core: Core;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly box: SecretBox;
  readonly blobs: BlobStore;
}

export interface ServedCore {
  readonly core: Core;
  readonly db: Database;
  readonly engine: SimulatedEngine;
  readonly logs: DiskLogStore;
  readonly parts: CommonParts;
  /** `admin` may do everything, `member` is of the team `acme`, `stranger` of the team `other`. */
  readonly tokens: { readonly admin: string; readonly member: string; readonly stranger: string };
  /** Serves a dialect on a port of its own and on a shared one, until the test ends. */
  listen(dialect: Dialect): Promise<{ readonly url: string; readonly sharedUrl: string }>;
}

/** `addonProviders`: with any of them their loop runs too. */
export async function serveCore(
  t: Pick<TestContext, 'after'>,
  addonProviders: AddonProviders = {},
): Promise<ServedCore> {
  const folder = await mkdtemp(join(tmpdir(), 'berth-served-'));
  const endings: (() => Promise<void>)[] = [];
  // Registered first, so it ends what uses the database before the database goes.
  t.after(async () => {
    for (const end of endings.toReversed()) await end();
  });
  const { db } = await testDatabase(t);
  const logs = createLogStore({ folder: join(folder, 'logs'), clock: systemClock, logger: silentLogger });
  const engine = new SimulatedEngine({ clock: systemClock, logAppender: logs });
  const context = { db, clock: systemClock, ids: systemIds, box: testBox };
  const builder = { hasArtifact: async () => true, clearCache: async () => {} };
  const core = createCore({
    ...context,
    passwords: passwordHasher,
    engine,
    builder,
    logs,
    addonProviders,
    baseDomain: 'apps.test',
  });
  const loop = Object.keys(addonProviders).length === 0 ? null : runAddonLoop(db, logs, addonProviders);
  endings.push(async () => {
    await loop?.stop();
    engine.close();
    await logs.close();
    await rm(folder, { recursive: true, force: true });
  });
  return {
    core,
    db,
    engine,
    logs,
    tokens: await people(core, db),
    parts: {
      core,
      logger: silentLogger,
      clock: systemClock,
      ids: systemIds,
      box: testBox,
      blobs: createBlobFolder({ dataFolder: folder, clock: systemClock, ids: systemIds }),
    },
    async listen(dialect) {
      const server = createServer({
        dialects: [dialect],
        baseDomain: 'berth.test',
        host: '127.0.0.1',
        ports: { shared: 0, dialects: { [dialect.name]: 0 } },
        logger: silentLogger,
        ids: systemIds,
        ready: async () => [],
        metrics: async () => '',
        metricsAccess: 'open',
      });
      endings.push(() => server.close());
      const { shared, dialects } = await server.listen();
      return {
        url: `http://127.0.0.1:${dialects[dialect.name]?.port}`,
        sharedUrl: `http://127.0.0.1:${shared.port}`,
      };
    },
  };
}

async function people(core: Core, db: Database): Promise<ServedCore['tokens']> {
  const now = systemClock.now();
  const poolId = systemIds.id();
  await db.pools.insert({ id: poolId, name: 'default', engine: 'simulated', isDefault: true, createdAt: now });
  for (const size of defaultSizes(() => systemIds.id())) await db.sizes.insert(size);
  const space = { poolId, teamId: null, description: '', createdAt: now, updatedAt: now };
  for (const [name, compliance] of [
    ['default', []],
    ['safe', ['socs']],
    ['live', ['prod']],
  ] as const)
    await db.spaces.insert({ ...space, id: systemIds.id(), name: spaceName(name), compliance });
  const user = async (username: string): Promise<{ id: string; token: string }> => {
    const email = `${username}@apps.test`;
    const { id } = await core.users.create(systemActor, { username, email, password: new Secret(PASSWORD) });
    const { text } = await core.authenticator.issue({
      kind: 'personal',
      name: 'test',
      userId: id,
      teamId: null,
      lifetimeMs: null,
    });
    return { id, token: text.reveal() };
  };
  const [admin, member, stranger] = [await user('admin'), await user('member'), await user('stranger')];
  const roleId = systemIds.id();
  await db.roles.insert({ id: roleId, name: 'all', context: 'global', description: '', permissions: [''] });
  await db.roles.assign({ roleId, subject: 'user', subjectId: admin.id, contextId: null });
  for (const [name, userId] of [
    ['main', admin.id],
    ['acme', member.id],
    ['other', stranger.id],
  ] as const) {
    const team = await core.teams.create(systemActor, { name });
    await db.teams.addMember({ teamId: team.id, userId, createdAt: now });
  }
  return { admin: admin.token, member: member.token, stranger: stranger.token };
}

export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
  /** The parsed body; throws when it is no JSON. */
  json<T = Record<string, unknown>>(): T;
}

/** One request; `as` is sent as the whole `Authorization` header. */
export async function call(
  url: string,
  method: string,
  path: string,
  options: { as?: string; body?: unknown; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const response = await fetch(url + path, {
    method,
    headers: {
      ...(options.as === undefined ? {} : { authorization: options.as }),
      'content-type': 'application/json',
      ...options.headers,
    },
    ...(options.body === undefined
      ? {}
      : { body: typeof options.body === 'string' ? options.body : JSON.stringify(options.body) }),
  });
  const text = await response.text();
  return { status: response.status, text, headers: response.headers, json: () => JSON.parse(text) };
}

/** What a finished build leaves behind; the app's web process and a worker come with it. */
export async function finishBuild(db: Database, buildId: string): Promise<Build> {
  const digest = `sha256:${'ab'.repeat(32)}`;
  const now = systemClock.now();
  const processes = { web: 'node web.js', worker: 'node worker.js' };
  await db.artifacts.insert({ digest, sizeBytes: 1, processes, buildpack: 'node', createdAt: now });
  await db.builds.advance(buildId, ['queued', 'running'], {
    status: 'succeeded',
    artifactDigest: digest,
    finishedAt: now,
  });
  const build = await db.builds.findAny(buildId);
  if (build === null) throw new Error('the build is not there');
  return build;
}
