/** Reads the head of a request from bytes, and refuses every form that two parsers could understand differently. */
import { CONNECTION, CONTENT_LENGTH, EXPECT, fieldKind, HOST, TRANSFER_ENCODING, UPGRADE } from './field-kinds.ts';
import { INCOMPLETE, isToken, parseLength, scanFields, TOO_MANY } from './field-scanner.ts';
import type { RouterLimits } from './limits.ts';

export interface RequestHead {
  readonly method: string;
  /** Path and query as sent; `*` only for OPTIONS. */
  readonly target: string;
  /** Without the query. */
  readonly path: string;
  /** HTTP/1.0 or HTTP/1.1. */
  readonly minor: 0 | 1;
  /** The Host header as sent; '' when an HTTP/1.0 request has none. */
  readonly authority: string;
  /** In lower case without port and final dot. */
  readonly host: string;
  /** name, value, name, value … as sent. */
  readonly fields: readonly string[];
  /** Bytes of the body, -1 without Content-Length. */
  readonly contentLength: number;
  readonly chunked: boolean;
  readonly keepAlive: boolean;
  readonly expectsContinue: boolean;
  /** The protocol asked for by Upgrade, null for none. */
  readonly upgrade: string | null;
  /** Further names that Connection says are for this hop only, in lower case. */
  readonly connectionNames: readonly string[] | null;
  /** How many bytes the head took. */
  readonly bytes: number;
}

/** Why a request is refused: the status to answer and words for the log. */
export class RequestRefusal {
  readonly status: number;
  readonly reason: string;
  constructor(status: number, reason: string) {
    this.status = status;
    this.reason = reason;
  }
}

const bad = (reason: string): RequestRefusal => new RequestRefusal(400, reason);
const requestLine = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]{1,32}) ([!-"$-~\x80-\xff]+) HTTP\/(\d)\.(\d)$/;
const authorityForm = /^(\[[0-9a-fA-F:.]+\]|[0-9A-Za-z._~-]+)(?::(\d{0,5}))?$/;

/**
 * The head at the start of `bytes`; null when more bytes are needed. Never looks further than `limits.headBytes`.
 */
export function parseRequestHead(bytes: Buffer, limits: RouterLimits): RequestHead | RequestRefusal | null {
  const text = bytes.toString('latin1', 0, Math.min(bytes.length, limits.headBytes));
  // RFC 9112 2.2: one empty line before the request line is ignored.
  const start = text.startsWith('\r\n') ? 2 : 0;
  const lineEnd = text.indexOf('\r\n', start);
  const line = lineEnd === -1 ? text.slice(start) : text.slice(start, lineEnd);
  if (line.includes('\n') || (lineEnd !== -1 && line.includes('\r'))) return bad('bare CR or LF');
  if (lineEnd === -1) return needMore(bytes, limits);
  const parts = requestLine.exec(line);
  if (parts === null) return bad('malformed request line');
  const [, method = '', target = '', major, minor] = parts;
  if (major !== '1' || (minor !== '0' && minor !== '1')) return new RequestRefusal(505, 'unknown HTTP version');
  const fields: string[] = [];
  const end = scanFields(text, lineEnd + 2, limits.headerCount, fields);
  if (end === INCOMPLETE) return needMore(bytes, limits);
  if (end === TOO_MANY) return new RequestRefusal(431, 'too many headers');
  if (end < 0) return bad('malformed header');
  return readFields(method, target, minor === '1' ? 1 : 0, fields, end);
}

function needMore(bytes: Buffer, limits: RouterLimits): RequestRefusal | null {
  return bytes.length >= limits.headBytes ? new RequestRefusal(431, 'headers too large') : null;
}

function readFields(
  method: string,
  rawTarget: string,
  minor: 0 | 1,
  fields: readonly string[],
  bytes: number,
): RequestHead | RequestRefusal {
  let authority: string | null = null;
  let contentLength = -1;
  let chunked = false;
  let keepAlive = minor === 1;
  let wantsUpgrade = false;
  let upgrade: string | null = null;
  let expectsContinue = false;
  let connectionNames: string[] | null = null;
  for (let at = 0; at < fields.length; at += 2) {
    const value = fields[at + 1] as string;
    switch (fieldKind(fields[at] as string)) {
      case HOST:
        if (authority !== null) return bad('more than one Host');
        authority = value;
        break;
      case CONTENT_LENGTH:
        if (contentLength !== -1) return bad('more than one Content-Length');
        contentLength = parseLength(value);
        if (contentLength === -1) return bad('malformed Content-Length');
        break;
      case TRANSFER_ENCODING:
        if (chunked || minor === 0 || value.toLowerCase() !== 'chunked') return bad('unknown Transfer-Encoding');
        chunked = true;
        break;
      case UPGRADE:
        upgrade = upgrade === null ? value : `${upgrade}, ${value}`;
        break;
      case EXPECT:
        if (value.toLowerCase() !== '100-continue') return new RequestRefusal(417, 'unknown expectation');
        expectsContinue = minor === 1;
        break;
      case CONNECTION:
        for (const part of value.toLowerCase().split(',')) {
          const name = part.trim();
          if (name === 'close') keepAlive = false;
          else if (name === 'keep-alive') keepAlive ||= minor === 0;
          else if (name === 'upgrade') wantsUpgrade = true;
          else if (name !== '') {
            if (!isToken(name)) return bad('malformed Connection');
            connectionNames ??= [];
            connectionNames.push(name);
          }
        }
        break;
    }
  }
  if (chunked && contentLength !== -1) return bad('both Content-Length and Transfer-Encoding');
  if (authority === null && minor === 1) return bad('no Host');
  const host = hostOf(authority ?? '');
  if (host === null) return bad('malformed Host');
  const target = originForm(method, rawTarget, host);
  if (target instanceof RequestRefusal) return target;
  const query = target.indexOf('?');
  return {
    method,
    target,
    path: query === -1 ? target : target.slice(0, query),
    minor,
    authority: authority ?? '',
    host,
    fields,
    contentLength,
    chunked,
    keepAlive,
    expectsContinue,
    upgrade: wantsUpgrade && minor === 1 && upgrade !== null && !/\bh2c\b/i.test(upgrade) ? upgrade : null,
    connectionNames,
    bytes,
  };
}

/** The target as path and query; an absolute one must name the same host as the Host header. */
function originForm(method: string, target: string, host: string): string | RequestRefusal {
  if (method === 'CONNECT') return new RequestRefusal(405, 'CONNECT is not served');
  if (target.charCodeAt(0) === 47) return target;
  if (target === '*') return method === 'OPTIONS' ? target : bad('malformed request target');
  const absolute = /^https?:\/\/([^/?]*)(.*)$/i.exec(target);
  if (absolute === null) return bad('malformed request target');
  const [, authority = '', rest = ''] = absolute;
  if (authority === '' || hostOf(authority) !== host) return bad('the request target and Host differ');
  return rest.startsWith('/') ? rest : `/${rest}`;
}

/** Hosts already checked, bounded; the same few come with nearly every request. */
const hosts = new Map<string, string>();

function hostOf(authority: string): string | null {
  const known = hosts.get(authority);
  if (known !== undefined) return known;
  if (authority === '') return '';
  const parts = authority.length > 270 ? null : authorityForm.exec(authority);
  if (parts === null) return null;
  const host = (parts[1] ?? '').toLowerCase().replace(/\.$/, '');
  if (hosts.size > 1024) hosts.clear();
  hosts.set(authority, host);
  return host;
}
