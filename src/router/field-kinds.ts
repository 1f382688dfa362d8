/** What each header name means to a proxy: framing, hop-by-hop, forwarded information, or nothing. */

export const PLAIN = 0;
export const HOST = 1;
export const CONTENT_LENGTH = 2;
export const TRANSFER_ENCODING = 3;
export const CONNECTION = 4;
export const UPGRADE = 5;
export const EXPECT = 6;
/** Always dropped: it is about one connection, or only harms. */
export const HOP = 7;
/** Set by the router; kept only from a trusted proxy. */
export const FORWARDED = 8;
export const REQUEST_ID = 9;
export const KEEP_ALIVE = 10;
export const TRAILER = 11;
export const X_FORWARDED_FOR = 12;
export const X_FORWARDED_PROTO = 13;
export const X_FORWARDED_HOST = 14;
export const X_FORWARDED_PORT = 15;
export const ACCEPT = 16;
export const ORIGIN = 17;

const kinds = new Map<string, number>([
  ['host', HOST],
  ['content-length', CONTENT_LENGTH],
  ['transfer-encoding', TRANSFER_ENCODING],
  ['connection', CONNECTION],
  ['upgrade', UPGRADE],
  ['expect', EXPECT],
  ['keep-alive', KEEP_ALIVE],
  ['trailer', TRAILER],
  ['te', HOP],
  ['proxy-connection', HOP],
  ['proxy-authorization', HOP],
  ['proxy-authenticate', HOP],
  ['http2-settings', HOP],
  // A CGI-like server makes HTTP_PROXY of it, which HTTP clients inside the app obey.
  ['proxy', HOP],
  ['forwarded', FORWARDED],
  ['x-forwarded-for', X_FORWARDED_FOR],
  ['x-forwarded-proto', X_FORWARDED_PROTO],
  ['x-forwarded-host', X_FORWARDED_HOST],
  ['x-forwarded-port', X_FORWARDED_PORT],
  ['x-forwarded-prefix', FORWARDED],
  ['x-forwarded-server', FORWARDED],
  ['x-forwarded-ssl', FORWARDED],
  ['x-forwarded-scheme', FORWARDED],
  ['x-forwarded', FORWARDED],
  ['x-real-ip', FORWARDED],
  ['x-client-ip', FORWARDED],
  ['true-client-ip', FORWARDED],
  ['x-request-id', REQUEST_ID],
  ['accept', ACCEPT],
  ['origin', ORIGIN],
]);

/** Names as clients spell them, remembered so that the common ones cost one look-up; bounded, because clients choose them. */
const spelled = new Map<string, number>();
const maxSpelled = 2048;

/** The kind of a header name in any letter case. */
export function fieldKind(name: string): number {
  const known = spelled.get(name);
  if (known !== undefined) return known;
  const kind = kindOf(name.toLowerCase());
  if (spelled.size < maxSpelled && name.length <= 64) spelled.set(name, kind);
  return kind;
}

/**
 * Servers that hand headers on as environment variables cannot tell `X_Forwarded_For` from `X-Forwarded-For`: an underscored spelling
 * of a name that means something here is dropped, any other is plain.
 */
function kindOf(name: string): number {
  const exact = kinds.get(name);
  if (exact !== undefined) return exact;
  if (name.includes('_') && kinds.has(name.replaceAll('_', '-'))) return HOP;
  return PLAIN;
}
