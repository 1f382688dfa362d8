import type { Actor } from '../access/actor.ts';
import type { Authenticator } from '../access/authenticator.ts';
import { demand, demandOn } from '../access/authorize.ts';
import { conflict, invalid, notFound } from '../errors.ts';
import { record } from '../events/record.ts';
import { type Id, username } from '../names.ts';
import type { CoreContext } from '../ports/core-context.ts';
import type { PasswordHasher } from '../ports/password-hasher.ts';
import type { Secret } from '../ports/secret.ts';
import type { User, UserWithPassword } from './user.ts';

export interface CreateUser {
  readonly username: string;
  readonly email: string;
  readonly name?: string;
  readonly password: Secret;
}

/** The examples of two of the APIs that the platform speaks have passwords of six. */
const PASSWORD_MIN = 6;
const PASSWORD_MAX = 1024;

/** Throws `invalid` for a password that is too short or absurdly long. */
export function checkPassword(password: Secret): void {
  const { length } = password.reveal();
  if (length < PASSWORD_MIN)
    throw invalid('password', `the password needs at least ${PASSWORD_MIN} characters`, 'too-short');
  if (length > PASSWORD_MAX)
    throw invalid('password', `the password is longer than ${PASSWORD_MAX} characters`, 'too-long');
}

export function checkEmail(email: string): string {
  const lower = email.trim().toLowerCase();
  if (!/^[^\s@]+@[^\s@]+$/.test(lower) || lower.length > 254)
    throw invalid('email', 'the email address is not valid', 'malformed');
  return lower;
}

export class UserService {
  readonly #context: CoreContext;
  readonly #passwords: PasswordHasher;
  readonly #authenticator: Authenticator;
  constructor(context: CoreContext, passwords: PasswordHasher, authenticator: Authenticator) {
    this.#context = context;
    this.#passwords = passwords;
    this.#authenticator = authenticator;
  }

  /** Needs `user.create`. */
  async create(actor: Actor, input: CreateUser): Promise<User> {
    demand(actor, 'user.create');
    checkPassword(input.password);
    const now = this.#context.clock.now();
    const user: UserWithPassword = {
      id: this.#context.ids.id(),
      username: username(input.username),
      email: checkEmail(input.email),
      name: input.name ?? '',
      disabled: false,
      passwordHash: await this.#passwords.hash(input.password),
      createdAt: now,
      updatedAt: now,
      lastLoginAt: null,
    };
    await this.#context.db.transaction(async (stores) => {
      await stores.users.insert(user);
      await record(this.#context, stores, actor, 'UserCreated', {}, { user: user.username });
    });
    return user;
  }

  /** The user behind the actor; team tokens and the system have none. */
  async self(actor: Actor): Promise<User> {
    const user = actor.userId === null ? null : await this.#context.db.users.find(actor.userId);
    if (user === null) throw notFound('user');
    return user;
  }

  async get(actor: Actor, reference: string): Promise<User> {
    const user = await this.#context.db.users.find(reference);
    if (user === null) throw notFound('user', reference);
    demandOn(actor, 'user', reference, 'user.read', 'user.read', { userId: user.id });
    return user;
  }

  async list(actor: Actor): Promise<readonly User[]> {
    demand(actor, 'user.read');
    return this.#context.db.users.list();
  }

  /** Ends the user's other sessions. The old password is checked unless an administrator sets it. */
  async changePassword(
    actor: Actor,
    userId: Id<'user'>,
    oldPassword: Secret | null,
    newPassword: Secret,
  ): Promise<void> {
    const user = await this.#context.db.users.find(userId);
    if (user === null) throw notFound('user', userId);
    demandOn(actor, 'user', userId, 'user.read', 'user.update.password', { userId });
    if (actor.userId === userId || oldPassword !== null) {
      const matches = oldPassword !== null && (await this.#passwords.verify(oldPassword, user.passwordHash));
      if (!matches) throw invalid('password', 'the old password is wrong', 'wrong-password');
    }
    checkPassword(newPassword);
    const passwordHash = await this.#passwords.hash(newPassword);
    await this.#context.db.transaction(async (stores) => {
      await stores.users.update(userId, { passwordHash, updatedAt: this.#context.clock.now() });
      await stores.tokens.removeSessions(userId, null);
      await record(this.#context, stores, actor, 'UserUpdated', {}, { user: user.username, changed: ['password'] });
    });
    this.#authenticator.forget();
  }

  /** Throws invalid `wrong-email` when the old one is not the user's, conflict `user-exists` when the new one is another's. */
  async changeEmail(actor: Actor, userId: Id<'user'>, oldEmail: string, newEmail: string): Promise<void> {
    const user = await this.#context.db.users.find(userId);
    if (user === null) throw notFound('user', userId);
    demandOn(actor, 'user', userId, 'user.read', 'user.update', { userId });
    if (oldEmail.trim().toLowerCase() !== user.email)
      throw invalid('email', 'the old email address is wrong', 'wrong-email');
    const email = checkEmail(newEmail);
    await this.#context.db.transaction(async (stores) => {
      await stores.users.update(userId, { email, updatedAt: this.#context.clock.now() });
      await record(this.#context, stores, actor, 'UserUpdated', {}, { user: user.username, changed: ['email'] });
    });
    this.#authenticator.forget();
  }

  async remove(actor: Actor, reference: string): Promise<void> {
    const user = await this.get(actor, reference);
    demand(actor, 'user.delete', { userId: user.id });
    const teams = await this.#context.db.teams.teamIdsOf(user.id);
    for (const teamId of teams) {
      const [members, apps] = await Promise.all([
        this.#context.db.teams.members(teamId),
        this.#context.db.apps.count(teamId),
      ]);
      if (members.length === 1 && apps > 0)
        throw conflict(
          'last-member',
          'the user is the last member of a team that has apps; add a member or remove the apps first',
          'user',
        );
    }
    await this.#context.db.transaction(async (stores) => {
      await stores.users.remove(user.id);
      await record(this.#context, stores, actor, 'UserUpdated', {}, { user: user.username, changed: ['removed'] });
    });
    this.#authenticator.forget();
  }
}
