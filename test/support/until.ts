import { setTimeout as wait } from 'node:timers/promises';

/** Waits until the check gives something truthy, and gives that. A check that throws ends the wait with its error. */
export async function until<T>(
  what: string,
  check: () => T | Promise<T>,
  patienceMs = 60_000,
  everyMs = 20,
): Promise<NonNullable<T>> {
  const started = performance.now();
  for (;;) {
    const found = await check();
    if (found) return found;
    if (performance.now() - started > patienceMs)
      throw new Error(`gave up after ${patienceMs} ms waiting until ${what}`);
    await wait(everyMs);
  }
}
