import { unavailable } from '../errors.ts';
import type { Database } from '../ports/database.ts';

const POLL_MS = 1_000;
/** So many looks in a row may fail: a database that restarts is no reason to give up. */
const FAILURES_MAX = 60;

/**
 * Looks again at every event and once a second until the look gives something, and gives that. Rejects with the signal's reason, or with
 * the look's error when it keeps failing.
 */
export async function untilChanged<T>(
  db: Pick<Database, 'onWake'>,
  signal: AbortSignal,
  look: () => Promise<T | null>,
): Promise<T> {
  let changed = false;
  let wake: () => void = () => {};
  const notify = (): void => {
    changed = true;
    wake();
  };
  const unlisten = db.onWake((topic, id) => {
    if (topic === 'event' || id === '*') notify();
  });
  signal.addEventListener('abort', notify, { once: true });
  try {
    for (let failures = 0; ; ) {
      signal.throwIfAborted();
      changed = false;
      try {
        const found = await look();
        if (found !== null) return found;
        failures = 0;
      } catch (error) {
        failures += 1;
        if (failures > FAILURES_MAX) throw unavailable('the platform cannot tell how the deploy went', error);
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, POLL_MS);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
        if (changed) wake();
      });
    }
  } finally {
    unlisten();
    signal.removeEventListener('abort', notify);
  }
}
