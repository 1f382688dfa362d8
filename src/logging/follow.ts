/** Follows a stream: waits for changes, reads what is new, hands it to a reader through a bounded queue. */
import { setTimeout as delay } from 'node:timers/promises';
import type { LogBatch, LogFilter } from '../core/ports/log-store.ts';
import { ChangeSignal } from './change-signal.ts';
import { LineQueue } from './line-queue.ts';
import { SegmentReader } from './segment-reader.ts';
import type { Positions } from './tail.ts';

export interface FollowOptions {
  readonly pollMs: number;
  /** Lines that wait for a slow reader; above it the oldest are dropped. */
  readonly maxLines: number;
  readonly maxCharacters: number;
}

/** The poll for a stream that does not exist yet, and the pause that lets a busy stream's changes gather. */
const unwatchedPollMs = 200;
const gatherMs = 10;

/** New matching lines from `positions` on, until the signal aborts. Reading the disk does not wait for the consumer. */
export async function* follow(
  folder: string,
  positions: Positions,
  filter: LogFilter,
  options: FollowOptions,
  signal: AbortSignal,
): AsyncGenerator<LogBatch> {
  const queue = new LineQueue(options.maxLines, options.maxCharacters);
  const changes = new ChangeSignal(folder, { pollMs: options.pollMs, unwatchedPollMs });
  let stopped = false;
  const stop = (): void => {
    stopped = true;
    changes.notify();
    queue.close();
  };
  const pump = async (): Promise<void> => {
    const reader = new SegmentReader(folder, filter, positions);
    while (!stopped) {
      await changes.wait();
      if (stopped) break;
      const isThere = await reader.readNew((lines) => queue.push(lines));
      if (!isThere) changes.close();
      await delay(gatherMs);
    }
  };
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  const pumping = pump().catch((error: unknown) => queue.close({ error }));
  try {
    for (let batch = await queue.take(); batch !== null; batch = await queue.take()) yield batch;
  } finally {
    signal.removeEventListener('abort', stop);
    stop();
    await pumping;
    changes.close();
  }
}
