import { census, surplus } from './census.ts';
import type { Plan, ProcessSituation } from './situation.ts';

/** All new instances become ready beside the old ones; then the old ones go at once. Both never serve for long together. */
export function planHotSwap(situation: ProcessSituation): Plan {
  const { quantity } = situation;
  const counted = census(situation);
  const swapped = counted.ready >= quantity;
  const leaving = swapped ? counted.old : counted.old.filter((member) => member.state !== 'ready');
  return {
    start: Math.max(0, quantity - counted.wanted.length),
    retire: [...leaving.map((member) => member.id), ...surplus(counted, quantity)],
  };
}
