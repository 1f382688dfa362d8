/** Turns an `Authorization` header into a caller: `Basic` with a token as the password, or `Bearer`. The user's name in `Basic` is ignored. */
import type { IncomingHttpHeaders } from 'node:http';
import type { Actor } from '../../core/access/actor.ts';
import { unauthenticated } from '../../core/errors.ts';
import type { Secret } from '../../core/ports/secret.ts';
import { parseAuthorization } from '../../http/credentials.ts';
import { readTicket } from './access-ticket.ts';
import type { ScalingoParts } from './settings.ts';

type AuthParts = Pick<ScalingoParts, 'core' | 'box' | 'clock'>;

export interface Caller {
  readonly actor: Actor;
  readonly credential: Secret;
}

/** Throws `unauthenticated` for none, malformed or unknown credentials. */
export async function authenticate(
  parts: AuthParts,
  headers: Pick<IncomingHttpHeaders, 'authorization'>,
): Promise<Caller> {
  const credential = shownCredential(headers);
  if (credential === null) throw unauthenticated();
  return { actor: await actorOf(parts, credential), credential };
}

/** The token in the header; null for none. The older clients send an empty name with an empty token where they have none. */
export function shownCredential(headers: Pick<IncomingHttpHeaders, 'authorization'>): Secret | null {
  const credentials = parseAuthorization(headers.authorization);
  if (credentials === null || credentials.scheme === 'other') return null;
  const credential = credentials.scheme === 'bearer' ? credentials.token : credentials.password;
  return credential.reveal() === '' ? null : credential;
}

/** Who a token stands for: an API token, or one of `tokens/exchange`. Throws `unauthenticated`. */
export async function actorOf({ core, box, clock }: AuthParts, credential: Secret): Promise<Actor> {
  const tokenId = readTicket(box, credential, clock.now());
  return tokenId === null ? core.authenticator.byToken(credential.reveal()) : core.authenticator.byTokenId(tokenId);
}
