/** Who am I, and signing in with a password. */
import { can } from '../../core/access/actor.ts';
import { unauthenticated } from '../../core/errors.ts';
import { parseAuthorization } from '../../http/credentials.ts';
import { type Call, ok, type Route } from './call.ts';
import { derivedId } from './derived-id.ts';
import type { AkkerisParts } from './settings.ts';

const SESSION_MS = 90 * 24 * 60 * 60_000;

export function accountRoutes(parts: AkkerisParts): readonly Route[] {
  return [
    { method: 'GET', path: '/account', access: 'signed-in', handle: async (call) => ok(await account(parts, call)) },
    {
      method: 'POST',
      path: '/authorizations',
      access: 'public',
      respond: async (request, reply) => {
        const credentials = parseAuthorization(request.headers.authorization);
        if (credentials?.scheme !== 'basic') throw unauthenticated();
        const { authenticator } = parts.core;
        const user = await authenticator.byPassword(credentials.username, credentials.password, request.ip);
        const { token, text } = await authenticator.issue({
          kind: 'session',
          name: 'akkeris login',
          userId: user.id,
          teamId: null,
          lifetimeMs: SESSION_MS,
        });
        const createdAt = token.createdAt.toISOString();
        return reply
          .code(201)
          .header('cache-control', 'no-store')
          .send({
            id: token.id,
            token: text.reveal(),
            scopes: ['read:user', 'read:org'],
            created_at: createdAt,
            updated_at: createdAt,
          });
      },
    },
    {
      method: 'GET',
      path: '/octhc',
      access: 'public',
      respond: async (_request, reply) => reply.type('text/plain').send('overall_status=good'),
    },
  ];
}

async function account({ core, clock }: AkkerisParts, { actor, username }: Call): Promise<unknown> {
  // A team's token has no user of its own.
  const user = actor.userId === null ? null : await core.users.self(actor);
  const createdAt = (user?.createdAt ?? clock.now()).toISOString();
  return {
    allow_tracking: false,
    beta: false,
    created_at: createdAt,
    email: user?.email ?? actor.email,
    photo: '',
    id: user?.id ?? derivedId(actor.name),
    last_login: user?.lastLoginAt?.toISOString() ?? createdAt,
    name: user?.name || username,
    sms_number: null,
    elevated_access: can(actor, ''),
    suspended_at: null,
    delinquent_at: null,
    two_factor_authentication: false,
    updated_at: (user?.updatedAt ?? clock.now()).toISOString(),
    verified: true,
  };
}
