/** Which planner carries out which strategy. */
import type { StrategyName } from '../releases/release.ts';
import { planAllAtOnce } from './all-at-once.ts';
import { planHotSwap } from './hot-swap.ts';
import { planOneByOne } from './one-by-one.ts';
import { planSeatBySeat } from './seat-by-seat.ts';
import type { Planner } from './situation.ts';

const planners: Readonly<Record<StrategyName, Planner>> = {
  'one-by-one': planOneByOne,
  'all-at-once': planAllAtOnce,
  'hot-swap': planHotSwap,
};

/** `seatsClash`: an instance of the wanted generation may not be in the seat of an older one at the same time. */
export const plannerFor = (strategy: StrategyName, seatsClash = false): Planner =>
  seatsClash && strategy !== 'all-at-once' ? planSeatBySeat : planners[strategy];
