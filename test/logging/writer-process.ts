/** Run by tests as a process of its own: appends `count` numbered lines in small batches. argv: folder, stream, prefix, count, segmentBytes. */
import { systemClock } from '../../src/lib/clock.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { createLogStore } from '../../src/logging/log-store.ts';
import { numbered } from './temporary-store.ts';

const [folder = '', stream = '', prefix = '', count = '0', segmentBytes = '0'] = process.argv.slice(2);
const store = createLogStore({ folder, clock: systemClock, logger: silentLogger, segmentBytes: Number(segmentBytes) });
for (let from = 0; from < Number(count); from += 7) {
  await store.append(stream, numbered(prefix, from, Math.min(from + 7, Number(count))));
}
await store.close();
