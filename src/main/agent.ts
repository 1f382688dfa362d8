/** `berth agent`: owns the instances of the embedded engine. SIGTERM ends it and leaves them running; SIGINT ends them too. */
import { runAgent } from '../engines/process/agent.ts';
import { addonHostPort } from './addon-settings.ts';
import { instancesElsewhere } from './docker-settings.ts';
import { hostEnvironment } from './host-environment.ts';
import { untilEnd } from './lifetime.ts';
import { processParts } from './process-parts.ts';
import type { Settings } from './settings.ts';

export async function agentCommand(settings: Settings, supervised: boolean): Promise<void> {
  const { folder, logger, logs, clock, ids } = await processParts('agent', settings);
  const agent = await runAgent({
    dataFolder: folder.root,
    socketPath: folder.agentSocket,
    isolation: settings.isolation,
    allowHostPorts: [addonHostPort(settings) ?? []].flat(),
    elsewhere: instancesElsewhere(settings),
    hostEnvironment: hostEnvironment(process.env),
    logger,
    clock,
    ids,
    logAppender: logs,
  });
  logger.info({ socket: folder.agentSocket }, 'the agent listens');
  const reason = await untilEnd(supervised);
  await agent.close({ everything: reason === 'interrupt' });
  await logs.close();
}
