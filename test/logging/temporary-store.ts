/** A log store in a folder of its own, both gone when the test ends, and what the tests of this folder share. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { LogLine } from '../../src/core/ports/log-store.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { createLogStore, type DiskLogStore, type LogStoreOptions } from '../../src/logging/log-store.ts';

export async function temporaryStore(
  t: TestContext,
  options: Partial<LogStoreOptions> = {},
): Promise<{ store: DiskLogStore; folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'berth-logs-'));
  const store = createLogStore({ folder, clock: systemClock, logger: silentLogger, ...options });
  t.after(async () => {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  });
  return { store, folder };
}

export const lineOf = (text: string, rest: Partial<LogLine> = {}): LogLine => ({
  at: new Date('2026-01-02T03:04:05.678Z'),
  source: 'app',
  process: 'web',
  instance: 'web-1',
  seat: '',
  text,
  ...rest,
});

/** The texts `<prefix> <from>` … `<prefix> <to - 1>` as lines. */
export const numbered = (prefix: string, from: number, to: number): LogLine[] =>
  Array.from({ length: to - from }, (_, index) => lineOf(`${prefix} ${from + index}`));

/** The texts of a read without following. */
export async function texts(
  store: DiskLogStore,
  stream: string,
  lines: number,
  filter: NonNullable<Parameters<DiskLogStore['read']>[1]['filter']> = {},
): Promise<string[]> {
  const found: string[] = [];
  for await (const batch of await store.read(stream, { lines, follow: false, filter })) {
    found.push(...batch.lines.map((line) => line.text));
  }
  return found;
}
