/** `Authorization: giantswarm <token>`; nothing else signs in here. */
import type { IncomingHttpHeaders } from 'node:http';
import type { Actor } from '../../core/access/actor.ts';
import type { Core } from '../../core/core.ts';
import { unauthenticated } from '../../core/errors.ts';
import { parseAuthorization } from '../../http/credentials.ts';

/** Throws `unauthenticated` for none, malformed or unknown credentials. */
export async function authenticate(core: Core, headers: Pick<IncomingHttpHeaders, 'authorization'>): Promise<Actor> {
  const credentials = parseAuthorization(headers.authorization);
  if (credentials?.scheme !== 'other' || credentials.word !== 'giantswarm') throw unauthenticated();
  return core.authenticator.byToken(credentials.value.reveal());
}
