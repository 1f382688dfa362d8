import type { Actor } from '../access/actor.ts';
import type { Authenticator } from '../access/authenticator.ts';
import { hashToken } from '../access/token-text.ts';
import type { App, AppView } from '../apps/app.ts';
import { fetchApp } from '../apps/app-access.ts';
import { BerthError, conflict, forbidden, notFound } from '../errors.ts';
import { record } from '../events/record.ts';
import type { CoreContext } from '../ports/core-context.ts';
import type { Stores } from '../ports/database.ts';
import { Secret } from '../ports/secret.ts';
import { checkEmail } from '../users/user-service.ts';
import type { Collaborator, CollaboratorView } from './collaborator.ts';

const COLLABORATORS_MAX = 200;

/**
 * People from outside the owning team who work on one app. Only owners (`app.update.grant`, `app.update.revoke`) invite and remove; those who
 * accepted may do everything on the app but what `collaboratorGrants` leaves with the owners.
 */
export class CollaboratorService {
  readonly #context: CoreContext;
  readonly #authenticator: Authenticator;
  constructor(context: CoreContext, authenticator: Authenticator) {
    this.#context = context;
    this.#authenticator = authenticator;
  }

  /** Oldest first; the owners are not among them. */
  async list(actor: Actor, reference: string): Promise<readonly CollaboratorView[]> {
    const app = await fetchApp(this.#context.db, actor, reference, 'app.read.info');
    return this.#context.db.collaborators.list(app.id);
  }

  /**
   * Invites an e-mail address, whether it has an account or not. The token is given this once, for the link that the inviter passes on.
   * Throws conflict `collaborator-exists` for an address that is invited or works on the app already, `already-owner` for a member of the
   * owning team; quota `collaborators`.
   */
  async invite(
    actor: Actor,
    reference: string,
    address: string,
  ): Promise<{ readonly collaborator: CollaboratorView; readonly token: Secret }> {
    const { db, clock, ids } = this.#context;
    const app = await fetchApp(db, actor, reference, 'app.update.grant');
    const email = checkEmail(address);
    const token = new Secret(ids.token(32));
    const invitation: Collaborator = {
      id: ids.id(),
      appId: app.id,
      email,
      userId: null,
      tokenHash: hashToken(token.reveal()),
      inviterId: actor.userId,
      inviterName: actor.name,
      inviterEmail: actor.email,
      createdAt: clock.now(),
      acceptedAt: null,
    };
    await db.transaction(async (stores) => {
      const locked = await stores.apps.lock(app.id);
      if (locked === null || locked.deletedAt !== null) throw notFound('app', reference);
      await refuseOwner(stores, locked, (member) => member.email === email);
      const known = await stores.collaborators.list(app.id);
      if (known.some((item) => item.email === email)) throw exists();
      if (known.length >= COLLABORATORS_MAX)
        throw new BerthError('quota', `an app has at most ${COLLABORATORS_MAX} collaborators`, {
          code: 'collaborators',
        });
      await stores.collaborators.insert(invitation);
      await record(
        this.#context,
        stores,
        actor,
        'CollaboratorInvited',
        { app },
        { collaborator: { id: invitation.id, email } },
      );
    });
    const { tokenHash: _, ...shown } = invitation;
    return { collaborator: { ...shown, status: 'pending', username: null }, token };
  }

  /**
   * Whoever holds the invitation's token accepts it, under the account they are signed in with. The token decides, not the address: the
   * platform has no proof that an account's address is its user's, and people have accounts under another address than the one they were
   * invited by. It works once. Throws not-found `invitation`; conflict `already-owner`, `collaborator-exists`; forbidden for no user.
   */
  async accept(actor: Actor, token: Secret): Promise<AppView> {
    const { userId } = actor;
    if (userId === null) throw forbidden('only a user can accept an invitation', 'no-user');
    const app = await this.#context.db.transaction(async (stores) => {
      const invitation = await stores.collaborators.lockByToken(hashToken(token.reveal()));
      const invitedTo = invitation === null ? null : await stores.apps.find(invitation.appId);
      if (invitation === null || invitedTo === null) throw notFound('invitation');
      await refuseOwner(stores, invitedTo, (member) => member.id === userId);
      await stores.collaborators.accept(invitation.id, userId, this.#context.clock.now());
      await record(
        this.#context,
        stores,
        actor,
        'CollaboratorAccepted',
        { app: invitedTo },
        {
          collaborator: { id: invitation.id, email: actor.email, username: actor.name },
          inviter: { username: invitation.inviterName, email: invitation.inviterEmail },
        },
      );
      return invitedTo;
    });
    this.#authenticator.forget();
    return app;
  }

  /** By id or address, pending ones too: the invitation's token is void. What they have open goes on; they open nothing more. */
  async remove(actor: Actor, reference: string, collaboratorReference: string): Promise<CollaboratorView> {
    const { db } = this.#context;
    const app = await fetchApp(db, actor, reference, 'app.update.revoke');
    const email = collaboratorReference.toLowerCase();
    const found = (await db.collaborators.list(app.id)).find(
      (item) => item.id === collaboratorReference || item.email === email,
    );
    if (found === undefined) throw notFound('collaborator', collaboratorReference);
    const { id, username } = found;
    await db.transaction(async (stores) => {
      await stores.collaborators.remove(id);
      await record(
        this.#context,
        stores,
        actor,
        'CollaboratorRemoved',
        { app },
        { collaborator: { id, email: found.email, username } },
      );
    });
    this.#authenticator.forget();
    return found;
  }
}

/** In the caller's transaction: whoever gave an app away goes on working on it. Does nothing for one who is no user or may do so already. */
export async function keepWorking(context: CoreContext, stores: Stores, app: App, actor: Actor): Promise<void> {
  const { userId } = actor;
  if (userId === null || (await stores.teams.members(app.teamId)).some((member) => member.id === userId)) return;
  const now = context.clock.now();
  const known = (await stores.collaborators.list(app.id)).find(
    (item) => item.userId === userId || item.email === actor.email,
  );
  if (known !== undefined) {
    if (known.userId === null) await stores.collaborators.accept(known.id, userId, now);
    return;
  }
  await stores.collaborators.insert({
    id: context.ids.id(),
    appId: app.id,
    email: actor.email,
    userId,
    tokenHash: null,
    inviterId: userId,
    inviterName: actor.name,
    inviterEmail: actor.email,
    createdAt: now,
    acceptedAt: now,
  });
}

const exists = (): BerthError =>
  conflict('collaborator-exists', 'this person is invited to the app or works on it already', 'collaborator');

async function refuseOwner(
  stores: Stores,
  app: Pick<App, 'teamId'>,
  isMeant: (member: { readonly id: string; readonly email: string }) => boolean,
): Promise<void> {
  if ((await stores.teams.members(app.teamId)).some(isMeant))
    throw conflict('already-owner', 'members of the team that owns the app may work on it already', 'collaborator');
}
