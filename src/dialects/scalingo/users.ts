/** Signing in and up, and the account of who is signed in. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { systemActor } from '../../core/access/actor.ts';
import { BerthError } from '../../core/errors.ts';
import { Secret } from '../../core/ports/secret.ts';
import type { User } from '../../core/users/user.ts';
import { actorOf, shownCredential } from './auth.ts';
import { type Call, ok, type Route } from './call.ts';
import { Refusal } from './errors.ts';
import { needed, rooted, said } from './fields.ts';
import { SESSION_MS, SESSION_NAME } from './sessions.ts';
import type { ScalingoParts } from './settings.ts';
import { freeUsername } from './sign-up-name.ts';
import { userShape } from './user-shape.ts';

export function userRoutes(parts: ScalingoParts): readonly Route[] {
  const { core, settings } = parts;

  async function signIn(request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
    const fields = rooted(request.body, 'user');
    const user = await checked(needed(fields, 'login'), new Secret(needed(fields, 'password')), request.ip);
    const { text } = await core.authenticator.issue({
      kind: 'session',
      name: SESSION_NAME,
      userId: user.id,
      teamId: null,
      lifetimeMs: SESSION_MS,
    });
    // Some clients read it above the user, some in it.
    const token = text.reveal();
    return sendPrivate(reply, 201, { authentication_token: token, user: userShape(user, token) });
  }

  async function checked(login: string, password: Secret, address: string): Promise<User> {
    try {
      return await core.authenticator.byPassword(login, password, address);
    } catch (error) {
      if (!(error instanceof BerthError) || error.kind !== 'unauthenticated') throw error;
      const message = 'Invalid login or password';
      throw new Refusal(401, { success: false, message, error: message });
    }
  }

  /** Strangers where the platform lets them; administrators always. */
  async function signUp(request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
    const credential = shownCredential(request.headers);
    const actor = credential === null ? null : await actorOf(parts, credential);
    if (actor === null && !settings.signUp)
      throw new Refusal(403, {
        error: 'Accounts of this platform are made by its administrators',
        code: 'sign_up_closed',
      });
    const fields = rooted(request.body, 'user');
    const email = needed(fields, 'email');
    const input = {
      email,
      username: said(fields, 'username') ?? (await freeUsername(core, email)),
      password: new Secret(needed(fields, 'password')),
    };
    const user = await core.users.create(actor === null || settings.signUp ? systemActor : actor, input);
    return sendPrivate(reply, 201, { user: userShape(user) });
  }

  /** Once more without the root, which the oldest clients do not look for. */
  async function self({ actor, credential }: Call) {
    const shown = userShape(await core.users.self(actor), credential.reveal());
    return { ...ok({ ...shown, user: shown }), headers: { 'cache-control': 'no-store' } };
  }

  async function updateProfile({ actor, body }: Call) {
    const user = await core.users.self(actor);
    const fields = rooted(body, 'user');
    const [email, password, current] = [
      said(fields, 'email'),
      said(fields, 'password'),
      said(fields, 'current_password'),
    ];
    if (email !== undefined && email !== user.email) await core.users.changeEmail(actor, user.id, user.email, email);
    if (password !== undefined)
      await core.users.changePassword(
        actor,
        user.id,
        current === undefined ? null : new Secret(current),
        new Secret(password),
      );
    return ok({ user: userShape(await core.users.self(actor)) });
  }

  return [
    { method: 'POST', path: '/v1/users/sign_in', access: 'public', respond: signIn },
    { method: 'POST', path: '/v1/users', access: 'public', respond: signUp },
    { method: 'GET', path: '/v1/users/self', access: 'signed-in', handle: self },
    {
      method: 'GET',
      path: '/v1/account/profile',
      access: 'signed-in',
      handle: async ({ actor }) => ok({ user: userShape(await core.users.self(actor)) }),
    },
    { method: 'PATCH', path: '/v1/account/profile', access: 'signed-in', handle: updateProfile },
  ];
}

const sendPrivate = (reply: FastifyReply, status: number, body: unknown): FastifyReply =>
  reply
    .code(status)
    .header('cache-control', 'no-store')
    .header('content-type', 'application/json')
    .send(JSON.stringify(body));
