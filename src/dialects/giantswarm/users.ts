import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Actor } from '../../core/access/actor.ts';
import { BerthError } from '../../core/errors.ts';
import { Secret } from '../../core/ports/secret.ts';
import type { User } from '../../core/users/user.ts';
import { answer, type Call, type Route } from './call.ts';
import { envelope } from './envelope.ts';
import { invalidCredentials, wrongInput } from './errors.ts';
import { passwordField, textField } from './input.ts';
import { ensureOwnOrganization } from './own-organization.ts';
import type { GiantSwarmParts } from './settings.ts';

/** The tokens of this API lived for up to 30 days. */
const TOKEN_MS = 30 * 24 * 60 * 60_000;

export function userRoutes({ core, ids, logger }: GiantSwarmParts): readonly Route[] {
  async function login(request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
    const { user: reference = '' } = request.params as { user?: string };
    const user = await signIn(reference, passwordField(request.body, 'password'), request.ip);
    const actor = await core.authenticator.byUser(user.id);
    if (actor === null) throw invalidCredentials();
    await ensureOwnOrganization(core, actor, logger);
    // A UUID, which is what clients expect a token to be.
    const text = new Secret(ids.id());
    await core.authenticator.issue({
      kind: 'session',
      name: 'giantswarm',
      userId: user.id,
      teamId: null,
      lifetimeMs: TOKEN_MS,
      text,
    });
    return reply
      .header('content-type', 'application/json')
      .send(JSON.stringify(envelope('data', { Id: text.reveal() })));
  }

  async function signIn(reference: string, password: Secret, address: string): Promise<User> {
    try {
      return await core.authenticator.byPassword(reference, password, address);
    } catch (error) {
      if (error instanceof BerthError && error.kind === 'unauthenticated') throw invalidCredentials();
      throw error;
    }
  }

  async function logout({ actor }: Call) {
    if (actor.tokenId !== null) await core.tokens.revoke(actor, actor.tokenId);
    return answer('deleted');
  }

  /** One's own organization first; that of the name, when there is one. */
  async function memberships({ actor }: Call) {
    await ensureOwnOrganization(core, actor, logger);
    const teams = await core.teams.list(await refreshed(actor));
    const mine = new Set<string>((await refreshed(actor)).teamIds);
    const names = teams.filter((team) => mine.has(team.id)).map((team) => team.name as string);
    return answer(
      'data',
      names.toSorted((a, b) => Number(b === actor.name) - Number(a === actor.name) || (a < b ? -1 : 1)),
    );
  }

  /** With the organization that may just have been made. */
  const refreshed = async (actor: Actor): Promise<Actor> =>
    (actor.userId === null ? null : await core.authenticator.byUser(actor.userId)) ?? actor;

  async function updateEmail({ actor, body }: Call) {
    const [oldEmail, newEmail] = [textField(body, 'old_email'), textField(body, 'new_email')];
    const user = await core.users.self(actor);
    try {
      await core.users.changeEmail(actor, user.id, oldEmail, newEmail);
    } catch (error) {
      if (error instanceof BerthError && error.details.code === 'wrong-email') throw invalidCredentials();
      if (error instanceof BerthError && error.kind === 'conflict') throw wrongInput('the email address is taken');
      throw error;
    }
    return answer('updated');
  }

  async function updatePassword({ actor, body }: Call) {
    const [oldPassword, newPassword] = [passwordField(body, 'old_password'), passwordField(body, 'new_password')];
    const user = await core.users.self(actor);
    try {
      await core.users.changePassword(actor, user.id, oldPassword, newPassword);
    } catch (error) {
      if (error instanceof BerthError && error.details.code === 'wrong-password') throw invalidCredentials();
      throw error;
    }
    return answer('updated');
  }

  return [
    { method: 'POST', path: '/v1/user/:user/login', access: 'public', respond: login },
    { method: 'POST', path: '/v1/token/logout', access: 'signed-in', handle: logout },
    {
      method: 'GET',
      path: '/v1/user/me',
      access: 'signed-in',
      handle: async ({ actor }) => {
        const { username, email } = await core.users.self(actor);
        return answer('data', { username, email });
      },
    },
    { method: 'GET', path: '/v1/user/me/memberships', access: 'signed-in', handle: memberships },
    { method: 'POST', path: '/v1/user/me/email/update', access: 'signed-in', handle: updateEmail },
    { method: 'POST', path: '/v1/user/me/password/update', access: 'signed-in', handle: updatePassword },
  ];
}
