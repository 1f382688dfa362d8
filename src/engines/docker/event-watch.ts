/** One stream of the daemon's events about this install's containers, opened again whenever it breaks. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../../lib/logger.ts';
import type { DockerApi } from './api/docker-api.ts';
import type { Names } from './names.ts';

const retryMs = 200;
/** What says nothing about an instance's life. */
const noise = /^(?:exec_|top|resize|archive-path|extract-to-dir)/;

export interface EventWatch {
  readonly api: DockerApi;
  readonly names: Names;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /** After every event that may matter. */
  readonly changed: (role: string) => void;
  /** The daemon is there again after it was away, or for the first time. */
  readonly connected: () => void;
}

/** Resolves when the signal aborts. */
export async function watchEvents({ api, names, logger, signal, changed, connected }: EventWatch): Promise<void> {
  const query = { filters: { type: ['container'], ...names.filters() } };
  while (!signal.aborted) {
    try {
      const stream = await api.stream('GET', '/events', { query, signal, timeoutMs: 10_000 });
      connected();
      let rest = '';
      for await (const chunk of stream) {
        const lines = (rest + String(chunk)).split('\n');
        rest = lines.pop() ?? '';
        for (const role of lines.flatMap(roleOf)) changed(role);
      }
    } catch (error) {
      if (signal.aborted) return;
      logger.debug({ error }, 'the Docker daemon’s events are out of sight; trying again');
    }
    await delay(retryMs, undefined, { signal }).catch(() => {});
  }
}

function roleOf(line: string): string[] {
  if (line.trim() === '') return [];
  const event = JSON.parse(line) as { Action?: string; Actor?: { Attributes?: Record<string, string> } };
  return noise.test(event.Action ?? '') ? [] : [event.Actor?.Attributes?.['berth.role'] ?? ''];
}
