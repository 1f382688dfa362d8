import type { Id } from '../names.ts';
import type { ContextType, Permission } from '../permissions.ts';

export interface Role {
  readonly id: Id<'role'>;
  readonly name: string;
  readonly context: ContextType;
  readonly description: string;
  readonly permissions: readonly Permission[];
}
/** A role given to a user or a team token, in one context. */
export interface RoleAssignment {
  readonly roleId: Id<'role'>;
  readonly subject: 'user' | 'token';
  readonly subjectId: Id;
  /** Null in the global context. */
  readonly contextId: Id | null;
}

/** What every member of a team may do there, without a role being assigned. */
export const memberPermissions: readonly Permission[] = [
  'app',
  'team.read',
  'team.token',
  'space',
  'service-instance',
  'service.read',
  'volume',
  'webhook',
];
/** What every signed-in user may do anywhere. */
export const everyonePermissions: readonly Permission[] = ['plan.read', 'platform.read', 'service.read', 'team.create'];
