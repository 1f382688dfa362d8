/** Writes the heads that go on: a request's to an instance and a response's to a client. Hop-by-hop headers stay behind. */
import {
  CONNECTION,
  CONTENT_LENGTH,
  FORWARDED,
  fieldKind,
  HOP,
  HOST,
  KEEP_ALIVE,
  REQUEST_ID,
  TRANSFER_ENCODING,
  UPGRADE,
  X_FORWARDED_FOR,
  X_FORWARDED_HOST,
  X_FORWARDED_PORT,
  X_FORWARDED_PROTO,
} from './field-kinds.ts';
import type { RequestHead } from './request-head.ts';
import type { ResponseHead } from './response-head.ts';

const ownInRequests = new Set([
  CONNECTION,
  CONTENT_LENGTH,
  TRANSFER_ENCODING,
  UPGRADE,
  HOP,
  KEEP_ALIVE,
  FORWARDED,
  REQUEST_ID,
  X_FORWARDED_FOR,
  X_FORWARDED_HOST,
  X_FORWARDED_PORT,
  X_FORWARDED_PROTO,
]);
const ownInResponses = new Set([CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING, UPGRADE, HOP, KEEP_ALIVE]);
/** By kind: 1 when the router writes that header itself or drops it. */
const requestOwn = new Uint8Array(32).map((_, kind) => (ownInRequests.has(kind) ? 1 : 0));
const responseOwn = new Uint8Array(32).map((_, kind) => (ownInResponses.has(kind) ? 1 : 0));

/**
 * The request as an instance gets it. `forwarded` are ready lines (see forwarded.ts); `target` is the rewritten path and query.
 * Always HTTP/1.1 with keep-alive, framed by what was parsed and never by a client's own spelling of it.
 */
export function requestHeadText(head: RequestHead, target: string, forwarded: string, requestId: string): string {
  const { fields, connectionNames } = head;
  let text = `${head.method} ${target} HTTP/1.1\r\n`;
  for (let at = 0; at < fields.length; at += 2) {
    const name = fields[at] as string;
    const kind = fieldKind(name);
    if (requestOwn[kind] === 1) continue;
    if (connectionNames !== null && kind !== HOST && connectionNames.includes(name.toLowerCase())) continue;
    text += `${name}: ${fields[at + 1]}\r\n`;
  }
  text += `${forwarded}X-Request-Id: ${requestId}\r\n`;
  if (head.chunked) text += 'Transfer-Encoding: chunked\r\n';
  else if (head.contentLength !== -1) text += `Content-Length: ${head.contentLength}\r\n`;
  if (head.upgrade !== null) text += `Connection: Upgrade\r\nUpgrade: ${head.upgrade}\r\n`;
  return `${text}\r\n`;
}

/** How the router frames a response towards its client. */
export interface ResponseFraming {
  /** `close`, `keep-alive` (said only to HTTP/1.0 clients), `upgrade`, or '' for HTTP/1.1's default. */
  readonly connection: 'close' | 'keep-alive' | 'upgrade' | '';
  /** -1: do not say. */
  readonly contentLength: number;
  readonly chunked: boolean;
}

/** The response as the client gets it. */
export function responseHeadText(head: ResponseHead, framing: ResponseFraming): string {
  const { fields, connectionNames } = head;
  let text = `HTTP/1.1 ${head.statusLine}\r\n`;
  for (let at = 0; at < fields.length; at += 2) {
    const name = fields[at] as string;
    if (responseOwn[fieldKind(name)] === 1) continue;
    if (connectionNames?.includes(name.toLowerCase()) === true) continue;
    text += `${name}: ${fields[at + 1]}\r\n`;
  }
  if (framing.chunked) text += 'Transfer-Encoding: chunked\r\n';
  else if (framing.contentLength !== -1) text += `Content-Length: ${framing.contentLength}\r\n`;
  if (framing.connection === 'upgrade') text += `Connection: upgrade\r\nUpgrade: ${head.upgrade ?? ''}\r\n`;
  else if (framing.connection !== '') text += `Connection: ${framing.connection}\r\n`;
  return `${text}\r\n`;
}
