import type { Clock } from '../../../core/ports/clock.ts';
import type { LogBatches } from '../../../core/ports/log-store.ts';
import { logText, lostLine } from './log-text.ts';

/** The documents call the key `name`, the clients read `event`. */
export interface LogFrame {
  readonly event: 'log' | 'ping';
  readonly name: 'log' | 'ping';
  readonly log?: string;
  readonly timestamp?: string;
}

/** The first clients read at most 20 KB of a frame. */
const PIECE = 4_000;

export const pingFrame = (now: Date): LogFrame => ({ event: 'ping', name: 'ping', timestamp: now.toISOString() });

/** A frame for each line; a very long one comes in several, each with the line's time and label. */
export async function* logFrames(batches: LogBatches, clock: Clock): AsyncIterable<LogFrame> {
  for await (const { lines, dropped } of batches) {
    for (const line of dropped > 0 ? [lostLine(dropped, clock.now()), ...lines] : lines) {
      for (let from = 0; from === 0 || from < line.text.length; from += PIECE)
        yield { event: 'log', name: 'log', log: logText({ ...line, text: line.text.slice(from, from + PIECE) }) };
    }
  }
}
