import type { Actor } from '../access/actor.ts';
import type { Authenticator } from '../access/authenticator.ts';
import { demandOn } from '../access/authorize.ts';
import { hashToken } from '../access/token-text.ts';
import { forbidden, invalid, notFound } from '../errors.ts';
import { record } from '../events/record.ts';
import type { Id } from '../names.ts';
import type { CoreContext } from '../ports/core-context.ts';
import { Secret } from '../ports/secret.ts';
import type { Token } from './token.ts';

export interface CreateToken {
  readonly name: string;
  /** Null: does not expire. */
  readonly lifetimeMs: number | null;
}

const NAME_MAX = 200;

/** Personal tokens of oneself, and a team's tokens. The text is given once, at creation. */
export class TokenService {
  readonly #context: CoreContext;
  readonly #authenticator: Authenticator;
  constructor(context: CoreContext, authenticator: Authenticator) {
    this.#context = context;
    this.#authenticator = authenticator;
  }

  async createPersonal(actor: Actor, input: CreateToken): Promise<{ token: Token; text: Secret }> {
    if (actor.userId === null) throw forbidden('only a user can have personal tokens', 'no-user');
    return this.#issue(actor, { ...input, kind: 'personal', userId: actor.userId, teamId: null });
  }

  /** Needs `team.token.create` in the team. The token has no rights until a role is assigned to it. */
  async createOfTeam(actor: Actor, team: string, input: CreateToken): Promise<{ token: Token; text: Secret }> {
    const teamId = await this.#team(actor, team, 'team.token.create');
    return this.#issue(actor, { ...input, kind: 'team', userId: null, teamId });
  }

  async listPersonal(actor: Actor): Promise<readonly Token[]> {
    return actor.userId === null ? [] : this.#context.db.tokens.listOfUser(actor.userId);
  }

  async listOfTeam(actor: Actor, team: string): Promise<readonly Token[]> {
    return this.#context.db.tokens.listOfTeam(await this.#team(actor, team, 'team.token.read'));
  }

  /** One's own, or a team's with `team.token.delete`. Another's answers as not there. */
  async revoke(actor: Actor, tokenId: string): Promise<void> {
    const token = await this.#context.db.tokens.find(tokenId);
    if (token === null) throw notFound('token', tokenId);
    if (token.teamId !== null)
      demandOn(actor, 'token', tokenId, 'team.token.read', 'team.token.delete', { teamId: token.teamId });
    else if (token.userId !== actor.userId)
      demandOn(
        actor,
        'token',
        tokenId,
        'user.read',
        'user.update.token',
        token.userId === null ? {} : { userId: token.userId },
      );
    await this.#context.db.transaction(async (stores) => {
      await stores.tokens.remove(token.id);
      await record(
        this.#context,
        stores,
        actor,
        'TokenRemoved',
        token.teamId === null ? {} : { teamId: token.teamId },
        { token: token.name, kind: token.kind },
      );
    });
    this.#authenticator.forget();
  }

  /** Another text for a token of one's own, which ends the old one. The lifetime begins anew. */
  async renew(actor: Actor, tokenId: string): Promise<{ token: Token; text: Secret }> {
    const { db, clock, ids } = this.#context;
    const token = (await this.listPersonal(actor)).find(({ id }) => id === tokenId);
    if (token === undefined) throw notFound('token', tokenId);
    const text = new Secret(ids.token(32));
    const now = clock.now();
    const renewed: Token = {
      ...token,
      hash: hashToken(text.reveal()),
      hint: text.reveal().slice(-4),
      expiresAt:
        token.expiresAt === null
          ? null
          : new Date(now.getTime() + token.expiresAt.getTime() - token.createdAt.getTime()),
      createdAt: now,
      lastUsedAt: null,
    };
    await db.transaction(async (stores) => {
      await stores.tokens.remove(token.id);
      await stores.tokens.insert(renewed);
      await record(this.#context, stores, actor, 'TokenCreated', {}, { token: token.name, kind: token.kind });
    });
    this.#authenticator.forget();
    return { token: renewed, text };
  }

  async #issue(
    actor: Actor,
    input: CreateToken & Pick<Token, 'kind' | 'userId' | 'teamId'>,
  ): Promise<{ token: Token; text: Secret }> {
    if (input.name.length > NAME_MAX)
      throw invalid('name', `the name is longer than ${NAME_MAX} characters`, 'too-long');
    if (input.lifetimeMs !== null && !(input.lifetimeMs > 0))
      throw invalid('expires', 'a token must expire in the future', 'out-of-range');
    const issued = await this.#authenticator.issue(input);
    await record(
      this.#context,
      this.#context.db,
      actor,
      'TokenCreated',
      input.teamId === null ? {} : { teamId: input.teamId },
      { token: input.name, kind: input.kind },
    );
    return issued;
  }

  async #team(actor: Actor, reference: string, permission: string): Promise<Id<'team'>> {
    const team = await this.#context.db.teams.find(reference);
    if (team === null) throw notFound('team', reference);
    demandOn(actor, 'team', reference, 'team.read', permission, { teamId: team.id });
    return team.id;
  }
}
