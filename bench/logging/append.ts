/**
 * What a log line costs: 50 streams × 2,000 lines/s through the log store, beside the same bytes written raw to 50 files by the same
 * process. Then the highest rate of one process, a tail of 1,000 lines and a filtered scan of a full stream.
 */
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { LogLine } from '../../src/core/ports/log-store.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { createLogStore } from '../../src/logging/log-store.ts';

const streams = Array.from({ length: 50 }, (_, index) => `apps/bench-${index}`);
const text = 'GET /orders/4711 200 in 12 ms, user 8c1d, cache miss, 3 queries, 1,204 bytes';
const tickMs = 20;
const seconds = 5;

const linesAt = (count: number): LogLine[] => {
  const at = systemClock.now();
  return Array.from(
    { length: count },
    () => ({ at, source: 'app', process: 'web', instance: 'web-1', seat: '', text }) as const,
  );
};

/** Calls `write` for every stream every tick for some seconds; gives lines/s and the share of one core. */
async function paced(
  write: (stream: string, lines: LogLine[]) => Promise<void>,
): Promise<{ rate: number; core: number }> {
  const perTick = (2000 * tickMs) / 1000;
  const before = process.cpuUsage();
  const begin = performance.now();
  let written = 0;
  for (let tick = 0; tick < (seconds * 1000) / tickMs; tick += 1) {
    await Promise.all(streams.map((stream) => write(stream, linesAt(perTick))));
    written += streams.length * perTick;
    await delay(Math.max(0, begin + (tick + 1) * tickMs - performance.now()));
  }
  const wallMs = performance.now() - begin;
  const cpu = process.cpuUsage(before);
  return { rate: written / (wallMs / 1000), core: (cpu.user + cpu.system) / 1000 / wallMs };
}

async function timed<T>(work: () => Promise<T>): Promise<[T, number]> {
  const begin = performance.now();
  const value = await work();
  return [value, performance.now() - begin];
}

const folder = await mkdtemp(join(tmpdir(), 'berth-bench-logs-'));
const store = createLogStore({ folder: join(folder, 'store'), clock: systemClock, logger: silentLogger });
try {
  const handles = new Map(
    await Promise.all(streams.map(async (s) => [s, await open(join(folder, s.slice(5)), 'a')] as const)),
  );
  const raw = await paced(async (stream, lines) => {
    await handles.get(stream)?.write(lines.map((line) => `${line.text}\n`).join(''));
  });
  await Promise.all([...handles.values()].map((handle) => handle.close()));
  const paceStore = await paced((stream, lines) => store.append(stream, lines));
  const percent = (share: number): string => `${(share * 100).toFixed(0)} % of a core`;
  console.log(`raw files   ${Math.round(raw.rate)} lines/s, ${percent(raw.core)}`);
  console.log(`log store   ${Math.round(paceStore.rate)} lines/s, ${percent(paceStore.core)}`);

  const batch = linesAt(500);
  const [, burstMs] = await timed(async () => {
    for (let index = 0; index < 1000; index += 1) await store.append('apps/burst', batch);
  });
  console.log(`one stream  ${Math.round(500_000 / (burstMs / 1000))} lines/s at most, batches of 500`);

  const count = async (filter: { process?: string }): Promise<number> => {
    let lines = 0;
    for await (const part of await store.read('apps/burst', { lines: 1000, follow: false, filter }))
      lines += part.lines.length;
    return lines;
  };
  const [tail, tailMs] = await timed(() => count({}));
  const [none, scanMs] = await timed(() => count({ process: 'worker' }));
  console.log(
    `tail        ${tail} lines in ${tailMs.toFixed(1)} ms; ${none} matching of a full stream in ${scanMs.toFixed(0)} ms`,
  );
} finally {
  await store.close();
  await rm(folder, { recursive: true, force: true });
}
