/** The embedded server of PostgreSQL add-ons, which nothing starts before the first one. */
import { access, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Logger } from '../lib/logger.ts';
import { type EmbeddedOptions, type EmbeddedPostgres, startEmbeddedPostgres } from '../store/embedded/start.ts';
import type { AddonSettings } from './addon-settings.ts';
import type { Settings } from './settings.ts';

const WATCH_MS = 1_000;
const CONNECTIONS = '200';

const folderOf = (settings: AddonSettings): string => join(settings.data, 'addons');
/** There from the first add-on on: then `berth up` starts the server and keeps it running. */
const noteOf = (settings: AddonSettings): string => join(folderOf(settings), 'postgres-in-use');

export async function startAddonServer(settings: AddonSettings, logger: Logger): Promise<EmbeddedPostgres> {
  const folder = folderOf(settings);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const options: EmbeddedOptions = {
    dataFolder: folder,
    logger: logger.child({ database: 'add-ons' }),
    tcpPort: settings.postgresAddonPort,
    settings: { max_connections: CONNECTIONS },
  };
  const server = await startEmbeddedPostgres(options);
  await writeFile(noteOf(settings), '');
  return server;
}

/** Part of `berth up`: from its first use on the embedded server runs as long as the platform does. */
export function superviseAddonServer(settings: Settings, logger: Logger): { stop(): Promise<void> } {
  if (settings.postgresAddonUrl !== null) return { stop: async () => {} };
  const abort = new AbortController();
  let server: EmbeddedPostgres | null = null;
  const look = async (): Promise<void> => {
    if (server !== null) return server.ensure();
    const inUse = await access(noteOf(settings)).then(
      () => true,
      () => false,
    );
    if (inUse) server = await startAddonServer(settings, logger);
  };
  const watch = (async () => {
    while (!abort.signal.aborted) {
      await look().catch((error: unknown) => {
        logger.error({ err: error }, 'the server of the database add-ons could not be started; it is tried again');
      });
      await wait(WATCH_MS, undefined, { signal: abort.signal }).catch(() => {});
    }
  })();
  return {
    async stop(): Promise<void> {
      abort.abort();
      await watch;
      // The first add-on may have been made since the last look.
      await look().catch(() => {});
      await server?.stop();
    },
  };
}
