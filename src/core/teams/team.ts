import type { Id, TeamName } from '../names.ts';

/** A group of users that owns apps (organization in Giant Swarm and Akkeris). */
export interface Team {
  readonly id: Id<'team'>;
  readonly name: TeamName;
  readonly description: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}
export interface Membership {
  readonly teamId: Id<'team'>;
  readonly userId: Id<'user'>;
  readonly createdAt: Date;
}
