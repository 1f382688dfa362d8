/** When a process of the platform has to end: a signal, or the end of the supervisor that started it. */
export type EndReason = 'terminate' | 'interrupt' | 'orphaned';

/** Resolves once. `watchParent`: stdin is the supervisor's pipe, and its end is the supervisor's. */
export function untilEnd(watchParent: boolean): Promise<EndReason> {
  return new Promise((resolve) => {
    const end = (reason: EndReason): void => {
      // Otherwise the pipe would keep the process alive after its work is done.
      if (watchParent) process.stdin.destroy();
      resolve(reason);
    };
    // They may come again, and together, when a terminal closes; only the first says why.
    process.on('SIGTERM', () => end('terminate'));
    process.on('SIGHUP', () => end('terminate'));
    process.on('SIGINT', () => end('interrupt'));
    if (!watchParent) return;
    process.stdin.once('end', () => end('orphaned')).once('error', () => end('orphaned'));
    process.stdin.resume();
  });
}
