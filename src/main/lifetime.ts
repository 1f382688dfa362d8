/** When a process of the platform has to end: a signal, or the end of the supervisor that started it. */
export type EndReason = 'terminate' | 'interrupt' | 'orphaned';

/** Resolves once. `watchParent`: stdin is the supervisor's pipe, and its end is the supervisor's. */
export function untilEnd(watchParent: boolean): Promise<EndReason> {
  return new Promise((resolve) => {
    process.once('SIGTERM', () => resolve('terminate'));
    process.once('SIGINT', () => resolve('interrupt'));
    if (!watchParent) return;
    process.stdin.once('end', () => resolve('orphaned')).once('error', () => resolve('orphaned'));
    process.stdin.resume();
  });
}
