import type { Id, Username } from '../names.ts';

export interface User {
  readonly id: Id<'user'>;
  readonly username: Username;
  /** Lower case, unique. */
  readonly email: string;
  readonly name: string;
  readonly disabled: boolean;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly lastLoginAt: Date | null;
}
export interface UserWithPassword extends User {
  /** A self-describing hash (argon2id or scrypt with its parameters). */
  readonly passwordHash: string;
}
