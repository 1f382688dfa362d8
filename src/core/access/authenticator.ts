/** Turns credentials into an Actor. The dialects' `auth` calls it; nobody else reads tokens or passwords. */

import { collaboratorGrants } from '../collaborators/collaborator.ts';
import { BerthError, unauthenticated } from '../errors.ts';
import { record } from '../events/record.ts';
import { fingerprintOf } from '../keys/public-key.ts';
import type { Id } from '../names.ts';
import type { CoreContext } from '../ports/core-context.ts';
import type { PasswordHasher } from '../ports/password-hasher.ts';
import { Secret } from '../ports/secret.ts';
import { everyonePermissions, memberPermissions } from '../roles/role.ts';
import type { Token } from '../tokens/token.ts';
import type { User } from '../users/user.ts';
import type { Actor, Grant } from './actor.ts';
import { LoginLimiter } from './login-limiter.ts';
import { hashToken } from './token-text.ts';

const CACHE_MS = 2_000;
const CACHE_MAX = 5_000;
const TOUCH_EVERY_MS = 60_000;

export interface IssueToken {
  readonly kind: Token['kind'];
  readonly name: string;
  readonly userId: Id<'user'> | null;
  readonly teamId: Id<'team'> | null;
  /** Null: does not expire. */
  readonly lifetimeMs: number | null;
  /** A text of the caller's own, e.g. the admin's from the settings. */
  readonly text?: Secret;
}

export class Authenticator {
  readonly #context: CoreContext;
  readonly #passwords: PasswordHasher;
  readonly #limiter: LoginLimiter;
  /** Actors by their token's hash or id for a short while; `forget` empties it when rights change in this replica. */
  readonly #cache = new Map<string, { actor: Actor; until: number }>();

  constructor(context: CoreContext, passwords: PasswordHasher) {
    this.#context = context;
    this.#passwords = passwords;
    this.#limiter = new LoginLimiter(context.clock);
  }

  /** The actor behind a token's text. Throws `unauthenticated` when unknown, expired, or its user disabled. */
  async byToken(text: string): Promise<Actor> {
    const hash = hashToken(text);
    return this.#behind(hash, () => this.#context.db.tokens.findByHash(hash));
  }

  /** As `byToken`, for whoever has seen another proof that the caller holds the token, e.g. a signed text that names it. */
  async byTokenId(id: Id<'token'>): Promise<Actor> {
    return this.#behind(`id ${id}`, () => this.#context.db.tokens.find(id));
  }

  async #behind(key: string, find: () => Promise<Token | null>): Promise<Actor> {
    const now = this.#context.clock.monotonicMs();
    const cached = this.#cache.get(key);
    if (cached && cached.until > now) return cached.actor;
    const token = await find();
    if (token === null || this.#expired(token)) throw unauthenticated();
    const actor = token.kind === 'team' ? await this.#teamActor(token) : await this.#userActor(token);
    await this.#touch(token);
    if (this.#cache.size >= CACHE_MAX) this.#cache.clear();
    this.#cache.set(key, { actor, until: now + CACHE_MS });
    return actor;
  }

  /**
   * Checks a password; `address` is the caller's, for the rate limit. Throws `unauthenticated` for an unknown user as for a wrong
   * password, after the same work.
   */
  async byPassword(reference: string, password: Secret, address: string): Promise<User> {
    const { db, clock } = this.#context;
    const keys = [`user:${reference.toLowerCase()}`, `address:${address}`];
    this.#limiter.check(keys);
    const user = await db.users.find(reference);
    const matches = await this.#passwords.verify(password, user?.passwordHash ?? null);
    if (user === null || !matches || user.disabled) {
      this.#limiter.failed(keys);
      throw unauthenticated('the username or password is wrong');
    }
    this.#limiter.succeeded(keys);
    const now = clock.now();
    await db.transaction(async (stores) => {
      await stores.users.update(user.id, { lastLoginAt: now });
      await record(
        this.#context,
        stores,
        { name: user.username, userId: user.id },
        'UserLoggedIn',
        {},
        { user: user.username },
      );
    });
    return { ...user, lastLoginAt: now };
  }

  /** A user as an actor without a token, after `byPassword`; null for one that is not there or disabled. */
  byUser(userId: Id<'user'>): Promise<Actor | null> {
    return this.#actorOf(userId, null);
  }

  /**
   * The user behind a public SSH key (its blob, or its fingerprint `SHA256:…`), or null when nobody has it or its user is disabled. Whoever
   * calls it has to see the proof that the caller holds the private key.
   */
  async byKey(key: Uint8Array | string): Promise<Actor | null> {
    const fingerprint = typeof key === 'string' ? key : fingerprintOf(key);
    const found = await this.#context.db.keys.findByFingerprint(fingerprint);
    return found === null ? null : this.#actorOf(found.userId, null);
  }

  /** Makes a token and gives its text, which is shown once and kept only as a hash. */
  async issue(input: IssueToken): Promise<{ token: Token; text: Secret }> {
    const { db, clock, ids } = this.#context;
    const text = input.text ?? new Secret(ids.token(32));
    if (text.reveal().length < 16)
      throw new BerthError('invalid', 'a token needs at least 16 characters', { field: 'token' });
    const now = clock.now();
    const token: Token = {
      id: ids.id(),
      kind: input.kind,
      userId: input.userId,
      teamId: input.teamId,
      name: input.name,
      hash: hashToken(text.reveal()),
      hint: text.reveal().slice(-4),
      createdAt: now,
      expiresAt: input.lifetimeMs === null ? null : new Date(now.getTime() + input.lifetimeMs),
      lastUsedAt: null,
    };
    await db.tokens.insert(token);
    return { token, text };
  }

  async revoke(tokenId: Id<'token'>): Promise<void> {
    await this.#context.db.tokens.remove(tokenId);
    this.forget();
  }

  /** Rights changed: look everything up again. */
  forget(): void {
    this.#cache.clear();
  }

  #expired(token: Token): boolean {
    return token.expiresAt !== null && token.expiresAt <= this.#context.clock.now();
  }

  async #touch(token: Token): Promise<void> {
    const now = this.#context.clock.now();
    if (token.lastUsedAt !== null && now.getTime() - token.lastUsedAt.getTime() < TOUCH_EVERY_MS) return;
    await this.#context.db.tokens.touch(token.id, now);
  }

  async #teamActor(token: Token): Promise<Actor> {
    const team = token.teamId === null ? null : await this.#context.db.teams.find(token.teamId);
    if (team === null) throw unauthenticated();
    const assigned = await this.#context.db.roles.grantsOf('token', token.id);
    return {
      kind: 'team',
      userId: null,
      name: token.name,
      email: '',
      tokenId: token.id,
      teamIds: [team.id],
      grants: [...everyone(), ...assigned],
    };
  }

  async #userActor(token: Token): Promise<Actor> {
    const actor = token.userId === null ? null : await this.#actorOf(token.userId, token.id);
    if (actor === null) throw unauthenticated();
    return actor;
  }

  /** Null for a user that is not there or disabled. */
  async #actorOf(userId: Id<'user'>, tokenId: Id<'token'> | null): Promise<Actor | null> {
    const { db } = this.#context;
    const user = await db.users.find(userId);
    if (user === null || user.disabled) return null;
    const [teamIds, assigned, shared] = await Promise.all([
      db.teams.teamIdsOf(user.id),
      db.roles.grantsOf('user', user.id),
      db.collaborators.appIdsOf(user.id),
    ]);
    const membership = teamIds.flatMap((teamId) =>
      memberPermissions.map((permission): Grant => ({ permission, context: 'team', contextId: teamId })),
    );
    const self: Grant = { permission: 'user', context: 'user', contextId: user.id };
    return {
      kind: 'user',
      userId: user.id,
      name: user.username,
      email: user.email,
      tokenId,
      teamIds,
      grants: [self, ...everyone(), ...membership, ...assigned, ...collaboratorGrants(shared)],
    };
  }
}

const everyone = (): Grant[] =>
  everyonePermissions.map((permission) => ({ permission, context: 'global', contextId: null }));
