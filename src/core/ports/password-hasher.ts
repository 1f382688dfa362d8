import type { Secret } from './secret.ts';

export interface PasswordHasher {
  hash(password: Secret): Promise<string>;
  /** False for a null hash, after as much work as for a real one, so that a missing user takes as long as a wrong password. */
  verify(password: Secret, hash: string | null): Promise<boolean>;
}
