/** `berth server`: dialect APIs, dashboard, controllers. May stop at any moment; apps and their requests go on. */
import { untilEnd } from './lifetime.ts';
import { startServer } from './platform.ts';
import { processParts } from './process-parts.ts';
import type { Settings } from './settings.ts';

export async function serverCommand(settings: Settings, supervised: boolean): Promise<void> {
  const parts = await processParts('server', settings);
  const server = await startServer(parts);
  await untilEnd(supervised);
  await server.close();
}
