/** The core over a running platform's own database: for acts that no API of it has yet, or that a test wants to see from inside. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type Core, createCore } from '../../src/core/core.ts';
import type { Database } from '../../src/core/ports/database.ts';
import { Secret } from '../../src/core/ports/secret.ts';
import { SimulatedEngine } from '../../src/engines/simulated/simulated-engine.ts';
import { systemClock, systemIds } from '../../src/lib/clock.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { passwordHasher } from '../../src/lib/password.ts';
import { createSecretBox } from '../../src/lib/secret-box.ts';
import { createLogStore } from '../../src/logging/log-store.ts';
import { openDatabase } from '../../src/store/database.ts';
import { startEmbeddedPostgres } from '../../src/store/embedded/start.ts';
import type { TestPlatform } from './platform.ts';

/** Closed when the test ends; register it after the platform, so that it goes first. */
export async function platformCore(
  t: Pick<TestContext, 'after'>,
  { dataFolder }: Pick<TestPlatform, 'dataFolder'>,
): Promise<{ readonly core: Core; readonly db: Database; close(): Promise<void> }> {
  const key = (await readFile(join(dataFolder, 'secret.key'), 'utf8')).trim();
  const box = createSecretBox(Buffer.from(key, 'hex'), (text) => new Secret(text));
  const { connection } = await startEmbeddedPostgres({ dataFolder, logger: silentLogger });
  const db = await openDatabase({ connection, box, logger: silentLogger, poolSize: 2, migrate: false });
  const logs = createLogStore({ folder: join(dataFolder, 'logs'), clock: systemClock, logger: silentLogger });
  const engine = new SimulatedEngine({ clock: systemClock, logAppender: logs });
  let open = true;
  const close = async (): Promise<void> => {
    if (!open) return;
    open = false;
    engine.close();
    await Promise.all([logs.close(), db.close()]);
  };
  t.after(close);
  const core = createCore({
    db,
    clock: systemClock,
    ids: systemIds,
    box,
    passwords: passwordHasher,
    engine,
    builder: { hasArtifact: async () => true, clearCache: async () => {} },
    logs,
    baseDomain: 'berth.test',
  });
  return { core, db, close };
}
