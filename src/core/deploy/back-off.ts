const FIRST_MS = 1_000;
const MAX_MS = 5 * 60_000;
/** An instance that ran so long before it crashed starts a new count. */
export const STABLE_AFTER_MS = 60_000;

/** How long to wait before the nth restart in a row (0: the first): 0, 1 s, 2 s, 4 s … 5 min. */
export function restartDelayMs(restarts: number): number {
  return restarts === 0 ? 0 : Math.min(MAX_MS, FIRST_MS * 2 ** Math.min(restarts - 1, 20));
}
