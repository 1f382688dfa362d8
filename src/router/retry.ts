/** When a request may be sent once more. Pure. */
import type { RequestHead } from './request-head.ts';

const idempotent = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

/** Sending it twice does what sending it once does, and there is no body that would be needed again. */
export function isReplayable(head: RequestHead): boolean {
  return idempotent.has(head.method) && !head.chunked && head.contentLength <= 0 && head.upgrade === null;
}

const youngMs = 1_000;

/**
 * How long a kept connection may have been idle for this request. An instance closes idle connections at a moment of its own; a request that
 * cannot be replayed takes only one that was in use just now, or a new one.
 */
export function longestIdleMs(head: RequestHead): number {
  return isReplayable(head) ? Number.POSITIVE_INFINITY : youngMs;
}
