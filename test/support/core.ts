/** The core over a real database and log store, with the simulated engine: for rules that need no wire. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type Actor, systemActor } from '../../src/core/access/actor.ts';
import { type Core, createCore } from '../../src/core/core.ts';
import { spaceName } from '../../src/core/names.ts';
import type { AddonProviders } from '../../src/core/ports/addon-provider.ts';
import type { Database } from '../../src/core/ports/database.ts';
import type { Images } from '../../src/core/ports/images.ts';
import { Secret } from '../../src/core/ports/secret.ts';
import { defaultSizes } from '../../src/core/sizes/default-sizes.ts';
import { SimulatedEngine } from '../../src/engines/simulated/simulated-engine.ts';
import { systemClock, systemIds } from '../../src/lib/clock.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { passwordHasher } from '../../src/lib/password.ts';
import { createLogStore } from '../../src/logging/log-store.ts';
import { testBox, testDatabase } from './postgres.ts';

export interface TestCore {
  readonly core: Core;
  readonly db: Database;
  readonly engine: SimulatedEngine;
  readonly spaceId: string;
  /** A new user in a new team of the same name, signed in. */
  person(name: string): Promise<Actor>;
  createApp(actor: Actor, name: string, team: string): Promise<string>;
}

export const testPassword = new Secret('a long enough password');

/** `images`: what looks images up; null: nothing runs others than were built here. */
export async function testCore(
  t: Pick<TestContext, 'after'>,
  addonProviders: AddonProviders = {},
  images: Images | null = null,
): Promise<TestCore> {
  const folder = await mkdtemp(join(tmpdir(), 'berth-core-'));
  const { db } = await testDatabase(t);
  const logs = createLogStore({ folder, clock: systemClock, logger: silentLogger });
  const engine = new SimulatedEngine({ clock: systemClock, logAppender: logs });
  t.after(async () => {
    engine.close();
    await logs.close();
    await rm(folder, { recursive: true, force: true });
  });
  const core = createCore({
    db,
    clock: systemClock,
    ids: systemIds,
    box: testBox,
    passwords: passwordHasher,
    engine,
    builder: { hasArtifact: async () => true, clearCache: async () => {} },
    addonProviders,
    images,
    logs,
    baseDomain: 'berth.test',
  });
  const spaceId = await seed(db);
  return {
    core,
    db,
    engine,
    spaceId,
    async person(name) {
      const user = await core.users.create(systemActor, {
        username: name,
        email: `${name}@berth.test`,
        password: testPassword,
      });
      const { text } = await core.authenticator.issue({
        kind: 'session',
        name: 'test',
        userId: user.id,
        teamId: null,
        lifetimeMs: null,
      });
      await core.teams.create(await core.authenticator.byToken(text.reveal()), { name });
      return core.authenticator.byToken(text.reveal());
    },
    async createApp(actor, name, team) {
      return (await core.apps.create(actor, { name, team, spaceId })).id;
    },
  };
}

async function seed(db: Database): Promise<string> {
  const now = systemClock.now();
  const poolId = systemIds.id();
  const spaceId = systemIds.id();
  await db.pools.insert({ id: poolId, name: 'default', engine: 'simulated', isDefault: true, createdAt: now });
  for (const size of defaultSizes(() => systemIds.id())) await db.sizes.insert(size);
  await db.spaces.insert({
    id: spaceId,
    name: spaceName('default'),
    poolId,
    teamId: null,
    description: '',
    compliance: [],
    createdAt: now,
    updatedAt: now,
  });
  return spaceId;
}
