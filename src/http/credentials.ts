/** Reads an `Authorization` header; which forms count, and what they mean, is a dialect's business. */
import { Secret } from '../core/ports/secret.ts';

export type Credentials =
  | { readonly scheme: 'bearer'; readonly token: Secret }
  | { readonly scheme: 'basic'; readonly username: string; readonly password: Secret }
  /** Some word before the value, or none at all (scheme ''). */
  | { readonly scheme: 'other'; readonly word: string; readonly value: Secret };

/** Null when there is none, or a `Basic` one that is not base64 of `user:password`. */
export function parseAuthorization(header: string | undefined): Credentials | null {
  const text = header?.trim() ?? '';
  if (text === '') return null;
  const space = text.indexOf(' ');
  const word = space < 0 ? '' : text.slice(0, space).toLowerCase();
  const value = text.slice(space + 1).trim();
  if (word === 'bearer') return { scheme: 'bearer', token: new Secret(value) };
  if (word !== 'basic') return { scheme: 'other', word, value: new Secret(value) };
  const pair = Buffer.from(value, 'base64').toString('utf8');
  const colon = pair.indexOf(':');
  if (colon < 0) return null;
  return { scheme: 'basic', username: pair.slice(0, colon), password: new Secret(pair.slice(colon + 1)) };
}
