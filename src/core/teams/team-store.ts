import type { Id } from '../names.ts';
import type { User } from '../users/user.ts';
import type { Membership, Team } from './team.ts';

export interface TeamStore {
  /** By id or name (exact case). */
  find(reference: string): Promise<Team | null>;
  insert(team: Team): Promise<void>;
  update(id: Id<'team'>, change: Partial<Pick<Team, 'name' | 'description' | 'updatedAt'>>): Promise<void>;
  remove(id: Id<'team'>): Promise<void>;
  list(ids: 'all' | readonly Id[]): Promise<readonly Team[]>;
  addMember(membership: Membership): Promise<void>;
  removeMember(teamId: Id<'team'>, userId: Id<'user'>): Promise<void>;
  members(teamId: Id<'team'>): Promise<readonly User[]>;
  /** By team id: the member that it is named after, else the longest-standing one. Teams without members have none. */
  owners(teamIds: readonly Id<'team'>[]): Promise<ReadonlyMap<string, User>>;
  teamIdsOf(userId: Id<'user'>): Promise<readonly Id<'team'>[]>;
}
