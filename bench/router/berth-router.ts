/** Berth's router as the bench runs it: one worker, access lines appended to a file. Arguments: folder, port, backend's port. */
import { appendFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../../src/lib/clock.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { createRouterClient } from '../../src/router/router-client.ts';
import { runRouter } from '../../src/router/run-router.ts';

const [folder = '', port = '', backendPort = ''] = process.argv.slice(2);
const dataFolder = join(folder, 'berth');
const socketPath = join(dataFolder, 'run', 'router.sock');
await mkdir(dataFolder, { recursive: true });
const running = await runRouter({
  dataFolder,
  socketPath,
  httpPort: Number(port),
  httpsPort: null,
  workers: 1,
  logger: silentLogger,
  clock: systemClock,
  limits: { stopGraceMs: 200 },
  logAppender: {
    append: (_stream, lines) =>
      appendFile(join(dataFolder, 'access.log'), `${lines.map((line) => line.text).join('\n')}\n`),
  },
});
const router = createRouterClient({ socketPath });
await router.apply({
  version: 1,
  routes: [{ host: 'bench.test', pathPrefix: '/', replacePrefix: null, backend: 'bench' }],
  backends: [
    {
      id: 'bench',
      appId: 'bench',
      mode: 'serving',
      targets: [{ id: 'i1', host: '127.0.0.1', port: Number(backendPort), processType: 'web' }],
    },
  ],
  certificates: [],
});
process.on('SIGTERM', () => {
  router.close();
  void running.close().then(() => process.exit(0));
});
