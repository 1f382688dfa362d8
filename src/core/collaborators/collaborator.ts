import type { Grant } from '../access/actor.ts';
import type { Id } from '../names.ts';
import type { Permission } from '../permissions.ts';

/** A person from outside the owning team who may work on one app: invited by e-mail address, pending until a user accepts. */
export interface Collaborator {
  readonly id: Id<'collaborator'>;
  readonly appId: Id<'app'>;
  /** The address that was invited, in lower case. */
  readonly email: string;
  /** Null while pending: an invitation says nothing of whether the address has an account. */
  readonly userId: Id<'user'> | null;
  /** SHA-256 of the invitation's token, hex; null once accepted. */
  readonly tokenHash: string | null;
  readonly inviterId: Id<'user'> | null;
  readonly inviterName: string;
  readonly inviterEmail: string;
  readonly createdAt: Date;
  readonly acceptedAt: Date | null;
}

/** As shown: never with the token's hash. */
export interface CollaboratorView extends Omit<Collaborator, 'tokenHash'> {
  readonly status: 'pending' | 'accepted';
  /** The account's address once accepted, the invited one before. */
  readonly email: string;
  /** Null while pending. */
  readonly username: string | null;
}

export interface CollaboratorStore {
  /** Oldest first, with names of accounts; one query. */
  list(appId: Id<'app'>): Promise<readonly CollaboratorView[]>;
  /** The pending invitation with this token's hash; locks it for the rest of the transaction. */
  lockByToken(tokenHash: string): Promise<Collaborator | null>;
  /** Throws conflict `collaborator-exists` when the address is invited already, or the user works on the app. */
  insert(collaborator: Collaborator): Promise<void>;
  /** Ends the invitation's token. Throws conflict `collaborator-exists` when the user works on the app already. */
  accept(id: Id<'collaborator'>, userId: Id<'user'>, at: Date): Promise<void>;
  remove(id: Id<'collaborator'>): Promise<void>;
  /** Those who have become owners as members of the team. */
  removeMembers(appId: Id<'app'>, teamId: Id<'team'>): Promise<void>;
  /** Apps that the user has accepted to work on. */
  appIdsOf(userId: Id<'user'>): Promise<readonly Id<'app'>[]>;
}

/** What stays with the owners. */
const owners: readonly Permission[] = [
  'app.delete',
  'app.admin',
  'app.update.name',
  'app.update.teamowner',
  'app.update.grant',
  'app.update.revoke',
];

/** What an accepted collaborator may do: everything on that app that is not the owners'. */
export const collaboratorGrants = (appIds: readonly Id<'app'>[]): readonly Grant[] =>
  appIds.map((contextId) => ({ permission: 'app', context: 'app', contextId, except: owners }));
