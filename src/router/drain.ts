/** Waits until nothing is in flight to some instances any more, on whatever port. */
import type { Balancer } from './balancer.ts';

/** Resolves with how much was left in flight after the time, 0 when all ended before. */
export function drain(balancer: Balancer, targetIds: readonly string[], timeoutMs: number): Promise<number> {
  const busy = balancer.busy(targetIds);
  if (busy.length === 0) return Promise.resolve(0);
  return new Promise((resolve) => {
    let waiting = busy.length;
    const forget = busy.map((target) =>
      target.onceIdle(() => {
        waiting--;
        if (waiting === 0) finish();
      }),
    );
    const timer = setTimeout(finish, timeoutMs);
    function finish(): void {
      clearTimeout(timer);
      for (const each of forget) each();
      resolve(busy.reduce((sum, target) => sum + target.inFlight, 0));
    }
  });
}
