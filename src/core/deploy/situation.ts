/**
 * What a strategy decides from and what it decides. Strategies are pure: they see one process of one app and say the next steps;
 * the reconciler carries them out and asks again. They hold no state, so a crash between two steps is no special case.
 */
import type { Instance } from '../instances/instance.ts';

export interface ProcessSituation {
  readonly quantity: number;
  readonly generation: string;
  /** Those that drain are among them until they are gone. */
  readonly instances: readonly Pick<Instance, 'id' | 'generation' | 'state' | 'ordinal' | 'createdAt'>[];
}

export interface Plan {
  /** How many instances of the wanted generation to start now. */
  readonly start: number;
  /** Instances to take out of the routing table, drain and stop. */
  readonly retire: readonly string[];
}

export type Planner = (situation: ProcessSituation) => Plan;
