/** `berth router`: the data path. Ends only when told; its supervisor's death ends it too. */
import { runRouter } from '../router/run-router.ts';
import { untilEnd } from './lifetime.ts';
import { processParts } from './process-parts.ts';
import type { Settings } from './settings.ts';

export async function routerCommand(settings: Settings, supervised: boolean): Promise<void> {
  const { folder, logger, logs, clock } = await processParts('router', settings);
  const router = await runRouter({
    dataFolder: folder.root,
    socketPath: folder.routerSocket,
    host: settings.host,
    httpPort: settings.routerHttpPort,
    httpsPort: settings.routerHttpsPort,
    workers: settings.routerWorkers,
    logger,
    clock,
    logAppender: logs,
  });
  logger.info({ http: router.httpPort, https: router.httpsPort }, 'the router listens');
  await untilEnd(supervised);
  await router.close();
  await logs.close();
}
