import { census, surplus } from './census.ts';
import type { Plan, ProcessSituation } from './situation.ts';

/**
 * Rolling: one new instance more than wanted, and an old one goes only when a new one is ready in its place. While one new instance
 * is not ready, no further one is started, so a bad release costs one instance. Without old ones all start together.
 */
export function planOneByOne(situation: ProcessSituation): Plan {
  const { quantity } = situation;
  const counted = census(situation);
  const unready = counted.old.filter((member) => member.state !== 'ready').map((member) => member.id);
  const spare = Math.max(0, Math.min(counted.oldReady.length, counted.ready + counted.oldReady.length - quantity));
  const missing = Math.max(0, quantity - counted.wanted.length);
  const rolling = counted.oldReady.length > 0;
  const settled = counted.wanted.length === counted.ready;
  const start = rolling ? Math.min(missing, settled ? 1 : 0) : missing;
  return {
    start,
    retire: [...unready, ...counted.oldReady.slice(0, spare).map((member) => member.id), ...surplus(counted, quantity)],
  };
}
