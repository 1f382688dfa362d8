import type { Id } from '../names.ts';
import type { User, UserWithPassword } from './user.ts';

export interface UserStore {
  /** By id, username or email (any case). */
  find(reference: string): Promise<UserWithPassword | null>;
  /** Those of these ids that are there, in no order. */
  named(ids: readonly Id<'user'>[]): Promise<readonly User[]>;
  /** By username (any case), of those who belong to one of the teams or have accepted to work on one of the apps. */
  workingOn(
    usernames: readonly string[],
    teamIds: readonly Id<'team'>[],
    appIds: readonly Id<'app'>[],
  ): Promise<readonly User[]>;
  insert(user: UserWithPassword): Promise<void>;
  update(
    id: Id<'user'>,
    change: Partial<
      Pick<UserWithPassword, 'email' | 'name' | 'disabled' | 'passwordHash' | 'lastLoginAt' | 'updatedAt'>
    >,
  ): Promise<void>;
  remove(id: Id<'user'>): Promise<void>;
  list(): Promise<readonly User[]>;
  count(): Promise<number>;
}
