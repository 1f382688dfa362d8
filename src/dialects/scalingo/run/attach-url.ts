/** Where a one-off is attached to: an address that only whoever asked for it knows. Its callers show their credentials all the same. */
import { notThere } from '../errors.ts';
import type { ScalingoParts } from '../settings.ts';
import { openToken, sealToken } from '../url-token.ts';

export const ATTACH_PATH = '/v1/one-offs/';
/** As long as a one-off may last, and the time after it in which somebody may ask how it ended. */
const LIFETIME_MS = 25 * 60 * 60_000;

type UrlParts = Pick<ScalingoParts, 'box' | 'clock'>;

export const attachUrl = (parts: UrlParts, baseUrl: string, oneOffId: string): string =>
  `${baseUrl}${ATTACH_PATH}${sealToken(parts, 'attach', { oneOffId }, LIFETIME_MS)}`;

/** Throws a 404 for a token that is none of ours. */
export function oneOffIdOf(parts: UrlParts, token: string): string {
  const { oneOffId } = openToken<{ readonly oneOffId: unknown }>(parts, 'attach', token);
  if (typeof oneOffId !== 'string') throw notThere('container');
  return oneOffId;
}
