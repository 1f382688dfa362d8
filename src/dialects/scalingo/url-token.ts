/** Tokens in URLs that need no other credentials: what they are for and until when is sealed in them by the platform's key. Nothing is stored. */
import { notFound } from '../../core/errors.ts';
import { Secret } from '../../core/ports/secret.ts';
import type { ScalingoParts } from './settings.ts';

type TokenParts = Pick<ScalingoParts, 'box' | 'clock'>;

/** Each purpose is a kind of its own: a token for one thing opens nothing else. */
export type Purpose = 'upload' | 'download' | 'logs' | 'attach';

const contextOf = (purpose: Purpose): string => `scalingo/url/${purpose}`;

export function sealToken<T extends object>(
  { box, clock }: TokenParts,
  purpose: Purpose,
  content: T,
  lifetimeMs: number,
): string {
  const text = JSON.stringify({ ...content, until: clock.now().getTime() + lifetimeMs });
  return Buffer.from(box.seal(new Secret(text), contextOf(purpose))).toString('base64url');
}

/** What `sealToken` put in. Throws `not-found` for one that is forged, cut off, for something else, or over for longer than `graceMs`. */
export function openToken<T extends object>(
  { box, clock }: TokenParts,
  purpose: Purpose,
  token: string,
  graceMs = 0,
): T {
  const content = read<T>(box, purpose, token);
  if (content === null || content.until + graceMs < clock.now().getTime()) throw notFound('url');
  return content;
}

function read<T>(box: TokenParts['box'], purpose: Purpose, token: string): (T & { readonly until: number }) | null {
  const bytes = Buffer.from(token, 'base64url');
  // Node reads more texts than it writes: one token has one form.
  if (bytes.toString('base64url') !== token) return null;
  try {
    return JSON.parse(box.open(bytes, contextOf(purpose)).reveal());
  } catch {
    // As if it were not there.
    return null;
  }
}
