/** A router in a process of its own, for tests that kill it. Arguments: data folder, HTTP port, compile cache. Prints its workers' ids. */
import { join } from 'node:path';
import { systemClock } from '../../../src/lib/clock.ts';
import { silentLogger } from '../../../src/lib/logger.ts';
import { runRouter } from '../../../src/router/run-router.ts';

const [dataFolder = '', httpPort = '', compileCache = ''] = process.argv.slice(2);
const running = await runRouter({
  dataFolder,
  socketPath: join(dataFolder, 'run', 'router.sock'),
  httpPort: Number(httpPort),
  httpsPort: null,
  workers: 2,
  compileCache,
  limits: { stopGraceMs: 60_000 },
  logger: silentLogger,
  clock: systemClock,
  logAppender: { append: async () => {} },
});
process.stdout.write(`${JSON.stringify({ port: running.httpPort, workers: running.workerPids() })}\n`);
