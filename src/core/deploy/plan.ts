/** Which planner carries out which strategy. */
import type { StrategyName } from '../releases/release.ts';
import { planAllAtOnce } from './all-at-once.ts';
import { planHotSwap } from './hot-swap.ts';
import { planOneByOne } from './one-by-one.ts';
import type { Planner } from './situation.ts';

const planners: Readonly<Record<StrategyName, Planner>> = {
  'one-by-one': planOneByOne,
  'all-at-once': planAllAtOnce,
  'hot-swap': planHotSwap,
};

export const plannerFor = (strategy: StrategyName): Planner => planners[strategy];
