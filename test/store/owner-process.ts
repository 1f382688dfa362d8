/** Starts an embedded server as the platform does, says so, and waits to be killed. */
import { silentLogger } from '../../src/lib/logger.ts';
import { startEmbeddedPostgres } from '../../src/store/embedded/start.ts';

const [, , dataFolder = ''] = process.argv;
const server = await startEmbeddedPostgres({ dataFolder, logger: silentLogger, durable: false });
process.stdout.write(`${await server.pid()}\n`);
setInterval(() => {}, 1000);
