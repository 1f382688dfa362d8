/** A round of retention: every store is told what apps may be started from, and one that is away keeps no other from its turn. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createBlobFolder } from '../../src/builders/blob-folder.ts';
import { Retention } from '../../src/control/retention.ts';
import { unavailable } from '../../src/core/errors.ts';
import type { Builder } from '../../src/core/ports/builder.ts';
import type { Images } from '../../src/core/ports/images.ts';
import { systemClock, systemIds } from '../../src/lib/clock.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { createLogStore } from '../../src/logging/log-store.ts';
import { testDatabase } from '../support/postgres.ts';

test('images and artifacts are pruned by the same list; what they free is added up', async (t) => {
  const { db } = await testDatabase(t);
  const folder = mkdtempSync(join(tmpdir(), 'berth-retention-'));
  const logs = createLogStore({ folder: join(folder, 'logs'), clock: systemClock, logger: silentLogger });
  t.after(async () => {
    await logs.close();
    rmSync(folder, { recursive: true });
  });
  const kept: ReadonlySet<string>[] = [];
  const pruning = (removed: number, freedBytes: number) => async (keep: ReadonlySet<string>) => {
    kept.push(keep);
    return { removed, freedBytes };
  };
  const no = async (): Promise<never> => assert.fail('not asked for');
  const builder: Builder = { build: no, hasArtifact: no, clearCache: no, prune: pruning(1, 10) };
  const blobs = createBlobFolder({ dataFolder: folder, clock: systemClock, ids: systemIds });
  const common = { db, builder, blobs, logs, clock: systemClock, logger: silentLogger };
  const without = { locate: no, resolve: no, build: no, has: no };
  const sweep = (images: Images | null) => new Retention({ ...common, images }).sweep();

  const went = await sweep({ ...without, prune: pruning(2, 300) });
  assert.deepEqual([went.artifacts, went.images, went.freedBytes], [1, 2, 310]);
  assert.equal(kept.length, 2);
  assert.equal(kept[0], kept[1]);

  const away = await sweep({ ...without, prune: () => Promise.reject(unavailable('no node is ready')) });
  assert.deepEqual([away.artifacts, away.images, away.freedBytes, away.tokens], [1, 0, 10, 0]);
  const none = await sweep(null);
  assert.deepEqual([none.artifacts, none.images], [1, 0]);
});
