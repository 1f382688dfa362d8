import type { Grant } from '../access/actor.ts';
import type { Id } from '../names.ts';
import type { Role, RoleAssignment } from './role.ts';

export interface RoleStore {
  find(reference: string): Promise<Role | null>;
  insert(role: Role): Promise<void>;
  update(
    id: Id<'role'>,
    change: Partial<Pick<Role, 'name' | 'context' | 'description' | 'permissions'>>,
  ): Promise<void>;
  remove(id: Id<'role'>): Promise<void>;
  list(): Promise<readonly Role[]>;
  /** Assigning twice is one assignment. */
  assign(assignment: RoleAssignment): Promise<void>;
  dissociate(assignment: RoleAssignment): Promise<void>;
  assignments(roleId: Id<'role'>): Promise<readonly RoleAssignment[]>;
  /** All grants that roles give to a subject, in one query. */
  grantsOf(subject: RoleAssignment['subject'], subjectId: Id): Promise<readonly Grant[]>;
}
