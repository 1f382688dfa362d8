import type { Id } from '../names.ts';

/** A credential at rest: only the hash of its text is kept. */
export interface Token {
  readonly id: Id<'token'>;
  readonly kind: 'session' | 'personal' | 'team';
  readonly userId: Id<'user'> | null;
  readonly teamId: Id<'team'> | null;
  readonly name: string;
  /** SHA-256 of the token's text, hex. Tokens are long and random, so a fast hash is enough. */
  readonly hash: string;
  /** The last four characters, to tell tokens apart in a list. */
  readonly hint: string;
  readonly createdAt: Date;
  readonly expiresAt: Date | null;
  readonly lastUsedAt: Date | null;
}
