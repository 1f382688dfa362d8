/** API tokens, and what today's clients exchange one for before they call. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Actor } from '../../core/access/actor.ts';
import { forbidden, unauthenticated } from '../../core/errors.ts';
import { shortId } from '../../core/names.ts';
import type { Secret } from '../../core/ports/secret.ts';
import type { Token } from '../../core/tokens/token.ts';
import { parseAuthorization } from '../../http/credentials.ts';
import { issueTicket } from './access-ticket.ts';
import { authenticate } from './auth.ts';
import { type Call, noContent, ok, param, type Route } from './call.ts';
import { rootedOrBare, said } from './fields.ts';
import { byShownId } from './ids.ts';
import type { ScalingoParts } from './settings.ts';

export function tokenRoutes(parts: ScalingoParts): readonly Route[] {
  const { core, box, clock, ids } = parts;
  const find = async (call: Call): Promise<Token> =>
    byShownId('token', await core.tokens.listPersonal(call.actor), param(call, 'token'));

  async function exchange({ actor }: Call) {
    if (actor.tokenId === null) throw forbidden('only a token can be exchanged', 'no-token');
    const { tokenId, userId } = actor;
    const ticket = issueTicket(box, { tokenId, userId, now: clock.now(), nonce: ids.id() });
    return { ...ok({ token: ticket.reveal() }), headers: { 'cache-control': 'no-store' } };
  }

  /** By a login with its password, or by a token. */
  async function create(request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
    const actor = await creator(request);
    const name = said(rootedOrBare(request.body, 'token'), 'name') ?? 'Scalingo token';
    const { token, text } = await core.tokens.createPersonal(actor, { name, lifetimeMs: null });
    return reply
      .code(201)
      .header('cache-control', 'no-store')
      .header('content-type', 'application/json')
      .send(JSON.stringify({ token: tokenShape(token, text) }));
  }

  async function creator(request: FastifyRequest): Promise<Actor> {
    const credentials = parseAuthorization(request.headers.authorization);
    if (credentials?.scheme !== 'basic' || credentials.username === '')
      return (await authenticate(parts, request.headers)).actor;
    const user = await core.authenticator.byPassword(credentials.username, credentials.password, request.ip);
    const actor = await core.authenticator.byUser(user.id);
    if (actor === null) throw unauthenticated();
    return actor;
  }

  async function renew(call: Call) {
    const { token, text } = await core.tokens.renew(call.actor, (await find(call)).id);
    return { ...ok({ token: tokenShape(token, text) }), headers: { 'cache-control': 'no-store' } };
  }

  const own = '/v1/tokens/:token';
  return [
    { method: 'POST', path: '/v1/tokens/exchange', access: 'signed-in', handle: exchange },
    { method: 'POST', path: '/v1/tokens', access: 'public', respond: create },
    {
      method: 'GET',
      path: '/v1/tokens',
      access: 'signed-in',
      handle: async ({ actor }) =>
        ok({ tokens: (await core.tokens.listPersonal(actor)).map((token) => tokenShape(token)) }),
    },
    {
      method: 'GET',
      path: own,
      access: 'signed-in',
      handle: async (call) => ok({ token: tokenShape(await find(call)) }),
    },
    { method: 'PATCH', path: `${own}/renew`, access: 'signed-in', handle: renew },
    {
      method: 'DELETE',
      path: own,
      access: 'signed-in',
      handle: async (call) => {
        await core.tokens.revoke(call.actor, (await find(call)).id);
        return noContent;
      },
    },
  ];
}

const tokenShape = ({ id, name, createdAt, lastUsedAt, hint }: Token, text?: Secret) => ({
  id: shortId(id),
  name,
  created_at: createdAt.toISOString(),
  last_used_at: lastUsedAt?.toISOString() ?? null,
  last_four: hint,
  ...(text === undefined ? {} : { token: text.reveal() }),
});
