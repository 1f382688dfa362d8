import { census, surplus } from './census.ts';
import type { Plan, ProcessSituation } from './situation.ts';

/** Old ones stop first, then the new ones start: for apps that bear no two versions at a time. Requests in between are refused. */
export function planAllAtOnce(situation: ProcessSituation): Plan {
  const { quantity } = situation;
  const counted = census(situation);
  const oldLeft = situation.instances.some((member) => member.generation !== situation.generation);
  return {
    start: oldLeft ? 0 : Math.max(0, quantity - counted.wanted.length),
    retire: [...counted.old.map((member) => member.id), ...surplus(counted, quantity)],
  };
}
