/** Whose a line of an app's log is, as this API calls it: `web-1`, `one-off-3`, `router`, and `manager` for the platform itself. */
import type { LogLine } from '../../../core/ports/log-store.ts';
import { containerLabel } from '../container-label.ts';

/** An instance's seat ends in its ordinal; a one-off's is its number. */
const seatForm = /^(?:\d+-(\d+)|(\d+))$/;

export function logLabel({ source, process, seat }: Pick<LogLine, 'source' | 'process' | 'seat'>): string {
  if (source === 'router') return 'router';
  if (source !== 'app') return 'manager';
  if (process === '') return 'app';
  const [, ordinal, number] = seatForm.exec(seat) ?? [];
  if (number !== undefined) return `${process}-${number}`;
  return ordinal === undefined ? process : containerLabel({ processType: process, ordinal: Number(ordinal) });
}

/**
 * Which lines pass a filter: `web` those of all its containers, `web-1` those of one, and several with `|` between them. Undefined for a
 * filter that says nothing.
 */
export function labelFilter(filter: string | undefined): ((line: LogLine) => boolean) | undefined {
  const names = new Set((filter ?? '').split('|').filter((name) => name !== ''));
  if (names.size === 0) return undefined;
  return (line) => names.has(logLabel(line)) || (line.source === 'app' && names.has(line.process));
}
