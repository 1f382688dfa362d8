/**
 * Turns an `Authorization` header into a caller. This server plays all three hosts of an Akkeris install. A bare token stands for the API
 * behind the front: it says by headers who is meant and whether access is elevated. `Bearer` and `Basic` stand for the front, which sets
 * both by itself. Either way only an administrator's word counts.
 */
import type { FastifyRequest } from 'fastify';
import { type Actor, can } from '../../core/access/actor.ts';
import type { Core } from '../../core/core.ts';
import { unauthenticated } from '../../core/errors.ts';
import { parseAuthorization } from '../../http/credentials.ts';

export interface Caller {
  readonly actor: Actor;
  readonly username: string;
  readonly elevated: boolean;
}

const isAdministrator = (actor: Actor): boolean => can(actor, '');

/** Throws `unauthenticated` for none, malformed or unknown credentials. */
export async function authenticate(core: Core, request: FastifyRequest): Promise<Caller> {
  const credentials = parseAuthorization(request.headers.authorization);
  if (credentials === null) throw unauthenticated();
  if (credentials.scheme === 'bearer') return fromFront(await core.authenticator.byToken(credentials.token.reveal()));
  if (credentials.scheme === 'basic') return fromFront(await core.authenticator.byToken(credentials.password.reveal()));
  if (credentials.word !== '') throw unauthenticated();
  const actor = await core.authenticator.byToken(credentials.value.reveal());
  if (!isAdministrator(actor)) return { actor, username: actor.name, elevated: false };
  const username = givenUsername(request) ?? actor.name;
  return { actor: { ...actor, name: username }, username, elevated: request.headers['x-elevated-access'] === 'true' };
}

const fromFront = (actor: Actor): Caller => ({ actor, username: actor.name, elevated: isAdministrator(actor) });

function givenUsername(request: FastifyRequest): string | null {
  const given = request.headers['x-username'];
  return typeof given === 'string' && /^[\w.@+-]{1,120}$/.test(given) ? given : null;
}
