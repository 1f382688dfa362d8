/** The loop that makes add-ons as their rows say, for tests that have no controllers. */
import { AddonQueue } from '../../src/control/addons/addon-queue.ts';
import type { AddonContext } from '../../src/control/control-context.ts';
import type { AddonProviders } from '../../src/core/ports/addon-provider.ts';
import type { Database } from '../../src/core/ports/database.ts';
import { systemClock, systemIds } from '../../src/lib/clock.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import type { DiskLogStore } from '../../src/logging/log-store.ts';
import { testBox } from './postgres.ts';

export interface AddonLoop {
  readonly context: AddonContext;
  readonly queue: AddonQueue;
  stop(): Promise<void>;
}

/** To be stopped before the database is closed. */
export function runAddonLoop(db: Database, logs: DiskLogStore, addonProviders: AddonProviders): AddonLoop {
  const context: AddonContext = {
    db,
    clock: systemClock,
    ids: systemIds,
    box: testBox,
    logs,
    logger: silentLogger,
    holder: 'test',
    addonProviders,
    limits: {
      bootTimeoutMs: 1_000,
      drainTimeoutMs: 0,
      graceMs: 0,
      settleMs: 0,
      buildsAtOnce: 1,
      resyncMs: 10_000,
      addonWatchMs: 3_600_000,
    },
  };
  const queue = new AddonQueue(context);
  const unlisten = db.onWake((topic) => {
    if (topic === 'operation') queue.wake();
  });
  queue.start();
  return {
    context,
    queue,
    async stop() {
      unlisten();
      await queue.stop();
    },
  };
}
