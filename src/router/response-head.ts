/** Reads the head of an instance's response, as strictly as a request's: what frames it wrongly never reaches a client. */
import { CONNECTION, CONTENT_LENGTH, fieldKind, KEEP_ALIVE, TRANSFER_ENCODING, UPGRADE } from './field-kinds.ts';
import { INCOMPLETE, parseLength, scanFields } from './field-scanner.ts';
import type { RouterLimits } from './limits.ts';

export interface ResponseHead {
  readonly status: number;
  /** `200 OK`: what follows the version. */
  readonly statusLine: string;
  readonly fields: readonly string[];
  /** -1 without Content-Length. */
  readonly contentLength: number;
  readonly chunked: boolean;
  /** Whether the instance keeps the connection. */
  readonly keepAlive: boolean;
  /** The `timeout` of Keep-Alive, or -1. */
  readonly keepAliveMs: number;
  readonly upgrade: string | null;
  readonly connectionNames: readonly string[] | null;
  readonly bytes: number;
}

const statusLine = /^HTTP\/1\.([01]) ([1-5]\d\d)(?: ([\t -~\x80-\xff]*))?$/;

/** The head at the start of `text` (latin1); null when more is needed, `malformed` when it can never be one. */
export function parseResponseHead(text: string, limits: RouterLimits): ResponseHead | 'malformed' | null {
  const lineEnd = text.indexOf('\r\n');
  if (lineEnd === -1) return text.length >= limits.headBytes || text.includes('\n') ? 'malformed' : null;
  const parts = statusLine.exec(text.slice(0, lineEnd));
  if (parts === null) return 'malformed';
  const fields: string[] = [];
  const end = scanFields(text, lineEnd + 2, limits.headerCount * 2, fields);
  if (end === INCOMPLETE) return text.length >= limits.headBytes ? 'malformed' : null;
  if (end < 0) return 'malformed';
  let contentLength = -1;
  let chunked = false;
  let keepAlive = parts[1] === '1';
  let keepAliveMs = -1;
  let upgrade: string | null = null;
  let connectionNames: string[] | null = null;
  for (let at = 0; at < fields.length; at += 2) {
    const value = fields[at + 1] as string;
    switch (fieldKind(fields[at] as string)) {
      case CONTENT_LENGTH: {
        const length = parseLength(value);
        if (length === -1 || (contentLength !== -1 && contentLength !== length)) return 'malformed';
        contentLength = length;
        break;
      }
      case TRANSFER_ENCODING:
        if (chunked || value.toLowerCase() !== 'chunked') return 'malformed';
        chunked = true;
        break;
      case CONNECTION:
        for (const part of value.toLowerCase().split(',')) {
          const name = part.trim();
          if (name === 'close') keepAlive = false;
          else if (name === 'keep-alive') keepAlive = true;
          else if (name !== '' && name !== 'upgrade') {
            connectionNames ??= [];
            connectionNames.push(name);
          }
        }
        break;
      case KEEP_ALIVE: {
        const timeout = /(?:^|[,\s])timeout=(\d{1,6})/i.exec(value);
        if (timeout !== null) keepAliveMs = Number(timeout[1]) * 1000;
        break;
      }
      case UPGRADE:
        upgrade = value;
        break;
    }
  }
  if (chunked && contentLength !== -1) return 'malformed';
  return {
    status: Number(parts[2]),
    statusLine: `${parts[2]} ${parts[3] ?? ''}`,
    fields,
    contentLength,
    chunked,
    keepAlive,
    keepAliveMs,
    upgrade,
    connectionNames,
    bytes: end,
  };
}
