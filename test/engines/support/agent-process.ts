/** An agent in a process of its own, to be killed. Arguments: data folder, isolation. Log lines go to `<data>/log.ndjson`. */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LogLine } from '../../../src/core/ports/log-store.ts';
import { runAgent } from '../../../src/engines/process/agent.ts';
import { systemClock, systemIds } from '../../../src/lib/clock.ts';
import { silentLogger } from '../../../src/lib/logger.ts';

const [, , dataFolder = '', isolation] = process.argv;
const agent = await runAgent({
  dataFolder,
  isolation: isolation === 'none' ? 'none' : 'auto',
  clock: systemClock,
  ids: systemIds,
  logger: silentLogger,
  logAppender: {
    append: async (stream: string, lines: readonly LogLine[]) => {
      const text = lines.map((line) => `${JSON.stringify({ stream, ...line })}\n`).join('');
      appendFileSync(join(dataFolder, 'log.ndjson'), text);
    },
  },
});
process.on('SIGTERM', () => {
  void agent.close({ everything: true }).then(() => process.exit(0));
});
