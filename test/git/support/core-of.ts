/** The core over the database of a platform that runs: for what no API of it offers yet. */
import { join } from 'node:path';
import type { Actor } from '../../../src/core/access/actor.ts';
import { systemActor } from '../../../src/core/access/actor.ts';
import { type Core, createCore } from '../../../src/core/core.ts';
import { Secret } from '../../../src/core/ports/secret.ts';
import { SimulatedEngine } from '../../../src/engines/simulated/simulated-engine.ts';
import { systemClock, systemIds } from '../../../src/lib/clock.ts';
import { silentLogger } from '../../../src/lib/logger.ts';
import { passwordHasher } from '../../../src/lib/password.ts';
import { createSecretBox, loadOrCreateKey } from '../../../src/lib/secret-box.ts';
import { createLogStore } from '../../../src/logging/log-store.ts';
import { openDatabase } from '../../../src/store/database.ts';
import { startEmbeddedPostgres } from '../../../src/store/embedded/start.ts';
import { testPassword } from '../../support/core.ts';
import type { TestPlatform } from '../../support/platform.ts';

export interface CoreBeside {
  readonly core: Core;
  /** The platform's administrator. */
  readonly admin: Actor;
  /** A new user in a new team of the same name; gives a token of theirs. */
  person(name: string): Promise<{ readonly actor: Actor; readonly token: string }>;
  close(): Promise<void>;
}

export async function coreBeside(platform: TestPlatform): Promise<CoreBeside> {
  const key = await loadOrCreateKey(join(platform.dataFolder, 'secret.key'));
  const box = createSecretBox(key, (text) => new Secret(text));
  const { connection } = await startEmbeddedPostgres({ dataFolder: platform.dataFolder, logger: silentLogger });
  const db = await openDatabase({ connection, box, logger: silentLogger });
  const logs = createLogStore({
    folder: join(platform.dataFolder, 'logs'),
    clock: systemClock,
    logger: silentLogger,
  });
  const engine = new SimulatedEngine({ clock: systemClock, logAppender: logs });
  const core = createCore({
    db,
    clock: systemClock,
    ids: systemIds,
    box,
    passwords: passwordHasher,
    engine,
    builder: { hasArtifact: async () => true },
    logs,
    baseDomain: 'berth.localhost',
    addonProviders: {},
  });
  return {
    core,
    admin: await core.authenticator.byToken(platform.token),
    async person(name) {
      const user = await core.users.create(systemActor, {
        username: name,
        email: `${name}@berth.test`,
        password: testPassword,
      });
      const { text } = await core.authenticator.issue({
        kind: 'personal',
        name: 'test',
        userId: user.id,
        teamId: null,
        lifetimeMs: null,
      });
      const token = text.reveal();
      await core.teams.create(await core.authenticator.byToken(token), { name });
      core.authenticator.forget();
      return { actor: await core.authenticator.byToken(token), token };
    },
    async close() {
      engine.close();
      await db.close();
      await logs.close();
    },
  };
}
