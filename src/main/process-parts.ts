/** What each process of the platform starts from: settings, its data folder, its logger, its log store. */

import { systemClock, systemIds } from '../lib/clock.ts';
import { createLogger, type Logger } from '../lib/logger.ts';
import { createLogStore, type DiskLogStore } from '../logging/log-store.ts';
import { type DataFolder, openDataFolder } from './data-folder.ts';
import type { Settings } from './settings.ts';

export interface ProcessParts {
  readonly settings: Settings;
  readonly folder: DataFolder;
  readonly logger: Logger;
  readonly logs: DiskLogStore;
  readonly clock: typeof systemClock;
  readonly ids: typeof systemIds;
}

export async function processParts(name: string, settings: Settings): Promise<ProcessParts> {
  const folder = await openDataFolder(settings.data);
  const readable =
    settings.logFormat === 'readable' || (settings.logFormat === 'auto' && process.stderr.isTTY === true);
  const level = settings.logLevel === 'auto' ? (readable ? 'warn' : 'info') : settings.logLevel;
  const logger = createLogger({ name, level, readable });
  const logs = createLogStore({
    folder: folder.logs,
    clock: systemClock,
    logger,
    retainBytes: settings.logRetainMebibytes * 1024 * 1024,
  });
  return { settings, folder, logger, logs, clock: systemClock, ids: systemIds };
}
