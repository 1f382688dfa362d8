/**
 * Tokens of `tokens/exchange`: JWTs that stand for an API token for an hour. Nothing of them is stored: one names its API token and is
 * signed by the platform's key, so it is void as soon as that token is.
 */
import { timingSafeEqual } from 'node:crypto';
import { Secret, type SecretBox } from '../../core/ports/secret.ts';

const LIFETIME_S = 60 * 60;
const form = /^([\w-]{1,200})\.([\w-]{1,2000})\.([\w-]{43})$/;
const head = encode({ alg: 'HS256', typ: 'JWT' });

export interface TicketFor {
  readonly tokenId: string;
  readonly userId: string | null;
  readonly now: Date;
  /** Random, so that no two are alike. */
  readonly nonce: string;
}

export function issueTicket(box: SecretBox, { tokenId, userId, now, nonce }: TicketFor): Secret {
  const iat = Math.floor(now.getTime() / 1000);
  const claims = encode({ iss: 'Berth', iat, exp: iat + LIFETIME_S, jti: nonce, sub: userId, token_id: tokenId });
  return new Secret(`${head}.${claims}.${signature(box, claims)}`);
}

/** The id of the API token that the ticket stands for; null for what is no ticket of ours, or one that has run out. */
export function readTicket(box: SecretBox, ticket: Secret, now: Date): string | null {
  const [, header, claims, signed] = form.exec(ticket.reveal()) ?? [];
  if (header !== head || claims === undefined || signed === undefined) return null;
  if (!timingSafeEqual(Buffer.from(signed), Buffer.from(signature(box, claims)))) return null;
  const { exp, token_id } = JSON.parse(Buffer.from(claims, 'base64url').toString('utf8')) as Record<string, unknown>;
  if (typeof exp !== 'number' || typeof token_id !== 'string' || exp * 1000 <= now.getTime()) return null;
  return token_id;
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

const signature = (box: SecretBox, claims: string): string =>
  Buffer.from(box.digest(`scalingo ticket ${head}.${claims}`), 'hex').toString('base64url');
