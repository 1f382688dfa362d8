/** Decides how a unit ended, from what its script wrote and what the agent did to it. Pure. */
import type { ExitRecord } from './exit-file.ts';
import type { StopReason, StoredExit } from './unit-state.ts';

export interface ExitFacts {
  readonly record: ExitRecord;
  readonly stopReason: StopReason | null;
  /** The kernel, or the watch in its place, killed in it for memory a moment ago. */
  readonly recentMemoryKill: boolean;
  /** ISO time. */
  readonly at: string;
}

/** A grandchild killed for memory that its parent survived well does not count as the end of the unit. */
export function exitOf(facts: ExitFacts): StoredExit {
  const { record, stopReason, recentMemoryKill, at } = facts;
  const { code, signal } = record.status ?? { code: null, signal: 'SIGKILL' };
  const outOfMemory = stopReason === 'memory' || (recentMemoryKill && code !== 0);
  const neverRan = !record.started && record.status === null && stopReason === null && !outOfMemory;
  return {
    code,
    signal: neverRan ? null : signal,
    outOfMemory,
    timedOut: stopReason === 'timeout',
    diskExceeded: stopReason === 'disk',
    outputExceeded: stopReason === 'output',
    startError: neverRan ? 'the sandbox on this machine could not be started' : null,
    at,
  };
}
