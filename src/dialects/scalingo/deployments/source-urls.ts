/** Addresses of uploaded sources. A source is a blob whose id is chosen before it is there: one address puts it, the other gets it. */
import { isId } from '../../../core/names.ts';
import { notThere } from '../errors.ts';
import type { ScalingoParts } from '../settings.ts';
import { openToken, sealToken } from '../url-token.ts';

export const UPLOAD_PATH = '/v1/sources/upload/';
export const DOWNLOAD_PATH = '/v1/sources/download/';

const LIFETIME_MS = 10 * 60_000;
/** A slow upload may have taken all of the time before it is deployed. */
const DEPLOY_GRACE_MS = 60 * 60_000;

type UrlParts = Pick<ScalingoParts, 'box' | 'clock' | 'ids'>;
interface Content {
  readonly blob: string;
}

export function newSource(
  parts: UrlParts,
  baseUrl: string,
): { readonly upload_url: string; readonly download_url: string } {
  const content: Content = { blob: parts.ids.id() };
  return {
    upload_url: `${baseUrl}${UPLOAD_PATH}${sealToken(parts, 'upload', content, LIFETIME_MS)}`,
    download_url: `${baseUrl}${DOWNLOAD_PATH}${sealToken(parts, 'download', content, LIFETIME_MS)}`,
  };
}

/** The blob that a token of one of the addresses stands for. Throws a 404. */
export function blobOf(parts: UrlParts, purpose: 'upload' | 'download', token: string, graceMs = 0): string {
  const { blob } = openToken<Content>(parts, purpose, token, graceMs);
  if (!isId(blob)) throw notThere('source');
  return blob;
}

/** The blob behind an address of ours for downloads, on whatever host it was given out; null for any other address. Throws a 404 for one that is over. */
export function ownSource(parts: UrlParts, url: string): string | null {
  const path = URL.parse(url)?.pathname ?? '';
  if (!path.startsWith(DOWNLOAD_PATH)) return null;
  return blobOf(parts, 'download', path.slice(DOWNLOAD_PATH.length), DEPLOY_GRACE_MS);
}
