import type { LogLine } from '../../../core/ports/log-store.ts';
import { logLabel } from './log-label.ts';

/** `2015-02-16 02:02:43.930163178 +0000 UTC [web-1] text`: Go's way to print a time. Lines are kept with milliseconds. */
export function logText(line: LogLine): string {
  const [day = '', time = ''] = line.at.toISOString().split('T');
  return `${day} ${time.replace('Z', '')}000000 +0000 UTC [${logLabel(line)}] ${line.text}`;
}

/** What a reader is told that was too slow to get all lines. */
export const lostLine = (lost: number, now: Date): LogLine => ({
  at: now,
  source: 'platform',
  process: '',
  instance: '',
  seat: '',
  text: `${lost} lines are left out: this reader is too slow`,
});
