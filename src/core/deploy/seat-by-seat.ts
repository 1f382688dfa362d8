import { census } from './census.ts';
import type { Plan, ProcessSituation } from './situation.ts';

/**
 * Rolling for instances that may not share a seat (they have volumes of their own, or ports of a pod): one old instance goes, and a new
 * one takes its seat when nothing of the old is left; the next goes when the new one is ready. With two instances one always serves.
 */
export function planSeatBySeat(situation: ProcessSituation): Plan {
  const { quantity } = situation;
  const counted = census(situation);
  const inOrder = [...counted.wanted].sort((a, b) => a.ordinal - b.ordinal);
  const surplus = inOrder.slice(quantity).map((member) => member.id);
  const leaving = situation.instances.some((member) => member.state === 'draining');
  const unready = counted.old.filter((member) => member.state !== 'ready').map((member) => member.id);
  if (leaving || unready.length > 0) return { start: 0, retire: [...unready, ...surplus] };
  const missing = quantity - counted.wanted.length - counted.old.length;
  const settled = counted.wanted.length === counted.ready;
  if (missing > 0) {
    const start = counted.old.length === 0 ? missing : settled ? 1 : 0;
    return { start, retire: surplus };
  }
  const next = [...counted.old].sort((a, b) => a.ordinal - b.ordinal).at(-1);
  return { start: 0, retire: settled && next !== undefined ? [next.id, ...surplus] : surplus };
}
