/**
 * Work that brings something up to what holds at the moment: callers that come while a round goes on share one further round, so that each
 * resolves after a round that began after it asked.
 */
export function rounds(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | null = null;
  let next: Promise<void> | null = null;
  const ask = (): Promise<void> => {
    if (running === null) {
      running = work().finally(() => {
        running = null;
      });
      return running;
    }
    next ??= running
      .catch(() => {})
      .then(() => {
        next = null;
        return ask();
      });
    return next;
  };
  return ask;
}
