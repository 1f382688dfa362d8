import type { Id } from '../names.ts';
import type { Token } from './token.ts';

export interface TokenStore {
  findByHash(hash: string): Promise<Token | null>;
  find(id: Id<'token'>): Promise<Token | null>;
  insert(token: Token): Promise<void>;
  touch(id: Id<'token'>, lastUsedAt: Date): Promise<void>;
  remove(id: Id<'token'>): Promise<void>;
  listOfUser(userId: Id<'user'>): Promise<readonly Token[]>;
  listOfTeam(teamId: Id<'team'>): Promise<readonly Token[]>;
  /** Ends all sessions of a user (after a password change); the one to keep may be named. */
  removeSessions(userId: Id<'user'>, keep: Id<'token'> | null): Promise<number>;
  removeExpired(now: Date): Promise<number>;
}
