/** Asks a machine again and again whether it is there, and tells when it answers and when its silence is long enough to be believed. */
import { setTimeout as delay } from 'node:timers/promises';
import { unavailable } from '../../../core/errors.ts';
import type { DockerApi } from '../api/docker-api.ts';

export interface PulseParts {
  /** Rejects when there is no answer; bounded by itself. */
  readonly ping: () => Promise<void>;
  /** After every answer. */
  readonly answered: () => void;
  /** After every question in vain, with what came of it; `isLost` once it was silent for long and more than once. */
  readonly silent: (isLost: boolean, error: unknown) => void;
  readonly signal: AbortSignal;
  /** Default: a question a second, and a loss after four of silence. */
  readonly times?: { readonly everyMs: number; readonly lostAfterMs: number };
}

const pingMs = 2_000;
const usual = { everyMs: 1_000, lostAfterMs: 4_000 };
/** One question in vain may be this process's own fault, which was stopped for a while. */
const lostAfterTries = 2;

/** Resolves when the signal aborts. */
export async function watchPulse({ ping, answered, silent, signal, times = usual }: PulseParts): Promise<void> {
  const { everyMs, lostAfterMs } = times;
  let answeredAt = performance.now();
  let inVain = 0;
  while (!signal.aborted) {
    const askedAt = performance.now();
    try {
      await ping();
      answeredAt = performance.now();
      inVain = 0;
      if (!signal.aborted) answered();
    } catch (error) {
      inVain += 1;
      const isLong = performance.now() - answeredAt >= lostAfterMs;
      if (!signal.aborted) silent(isLong && inVain >= lostAfterTries, error);
    }
    const left = everyMs - (performance.now() - askedAt);
    if (left > 0) await delay(left, undefined, { signal, ref: false }).catch(() => {});
  }
}

/** Rejects with `unavailable` after two seconds, whatever else the first question of all has to find out. */
export async function ping(api: DockerApi): Promise<void> {
  const cancel = new AbortController();
  const late = delay(pingMs, undefined, { signal: cancel.signal, ref: false }).then(() => {
    throw unavailable('the Docker daemon does not answer');
  });
  // The race hears the first of them only.
  late.catch(() => {});
  await Promise.race([api.call('GET', '/_ping', { timeoutMs: pingMs }), late]).finally(() => cancel.abort());
}
