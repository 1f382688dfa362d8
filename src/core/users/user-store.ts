import type { Id } from '../names.ts';
import type { User, UserWithPassword } from './user.ts';

export interface UserStore {
  /** By id, username or email (any case). */
  find(reference: string): Promise<UserWithPassword | null>;
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
