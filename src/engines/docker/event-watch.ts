/** One stream of the daemon's events about this install's containers, opened again whenever it breaks. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../../lib/logger.ts';
import type { DockerApi } from './api/docker-api.ts';
import { labels, type Names } from './names.ts';

const retryMs = 200;
/** What says nothing about an instance's life. */
const noise = /^(?:exec_|top|resize|archive-path|extract-to-dir)/;

export interface ContainerEvent {
  /** Docker's word: `start`, `die` … */
  readonly action: string;
  readonly role: string;
}

export interface EventWatch {
  readonly api: DockerApi;
  readonly names: Names;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /** After every event that may matter. */
  readonly changed: (event: ContainerEvent) => void;
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
        for (const event of lines.flatMap(eventOf)) changed(event);
      }
    } catch (error) {
      if (signal.aborted) return;
      logger.debug({ error }, 'the Docker daemon’s events are out of sight; trying again');
    }
    await delay(retryMs, undefined, { signal }).catch(() => {});
  }
}

function eventOf(line: string): ContainerEvent[] {
  if (line.trim() === '') return [];
  const event = JSON.parse(line) as { Action?: string; Actor?: { Attributes?: Record<string, string> } };
  const { Action: action = '', Actor } = event;
  return noise.test(action) ? [] : [{ action, role: Actor?.Attributes?.[labels.role] ?? '' }];
}
