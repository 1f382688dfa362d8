import type { Id, SpaceName } from '../names.ts';

/** Apps that share a network and, if they want, config. Names are unique within a team, and among those of no team. */
export interface Space {
  readonly id: Id<'space'>;
  readonly name: SpaceName;
  /** The team it belongs to (a Giant Swarm environment), or null: open to every team (an Akkeris space). */
  readonly teamId: Id<'team'> | null;
  readonly poolId: Id<'pool'>;
  readonly description: string;
  /** Free tags, e.g. `socs`, `prod`. */
  readonly compliance: readonly string[];
  readonly createdAt: Date;
  readonly updatedAt: Date;
}
