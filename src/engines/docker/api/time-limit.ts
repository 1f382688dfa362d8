/**
 * One signal for the ways in which a call ends early: its time is up, or whoever asked gave up. The transport's own limit is one for all
 * calls and by silence (apocas/docker-modem#45), which a quiet stream of events would not outlive.
 */
export interface TimeLimit {
  readonly signal: AbortSignal;
  /** Why `end` was called; null: it was not. */
  readonly ended: Error | null;
  /** The time no longer counts. */
  clear(): void;
  /** Ends it now, for another reason. */
  end(reason: Error): void;
}

/** `timeoutMs` 0: no limit. */
export function timeLimit(timeoutMs: number, caller: AbortSignal | undefined): TimeLimit {
  const own = new AbortController();
  const timer =
    timeoutMs === 0 ? null : setTimeout(() => own.abort(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
  let ended: Error | null = null;
  return {
    get ended() {
      return ended;
    },
    signal: caller === undefined ? own.signal : AbortSignal.any([caller, own.signal]),
    clear: () => clearTimeout(timer ?? undefined),
    end: (reason) => {
      ended ??= reason;
      own.abort(reason);
    },
  };
}
