import type { LogLine } from '../../../core/ports/log-store.ts';

/** As wide as the widest that the documents' clients align by. */
const SOURCE_WIDTH = 8;

/**
 * `2015-05-16 01:01:59.326 +0000 UTC    - docker  - <text>`. What the instance printed is from `docker`; `berth` says what the platform
 * did to it (out of memory, crashed), which its own output cannot tell.
 */
export function logText({ at, source, text }: Pick<LogLine, 'at' | 'source' | 'text'>): string {
  const time = at.toISOString().replace('T', ' ').replace('Z', ' +0000 UTC');
  const from = source === 'app' ? 'docker' : 'berth';
  return `${time}    - ${from.padEnd(SOURCE_WIDTH)}- ${text.replaceAll('\n', ' ')}`;
}
