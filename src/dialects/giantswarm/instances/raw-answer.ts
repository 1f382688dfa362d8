/** Answers on a connection that was taken over, where nothing writes them for us. */
import { STATUS_CODES } from 'node:http';
import { envelope } from '../envelope.ts';
import type { Refusal } from '../errors.ts';

/** The head, and the body when there is one; without, whatever follows until the connection ends is the body. */
export function rawAnswer(
  status: number,
  contentType: string,
  requestId: string,
  body: string | null,
  headers: Readonly<Record<string, string>> = {},
): string {
  const all = {
    'Content-Type': contentType,
    Connection: 'close',
    'X-Request-Id': requestId,
    ...(body === null ? {} : { 'Content-Length': String(Buffer.byteLength(body)) }),
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines.join('')}\r\n${body ?? ''}`;
}

/** A refusal as every route of this dialect shows it. */
export function refusalText({ status, code, message }: Refusal, requestId: string): string {
  return code === null
    ? rawAnswer(status, 'text/plain; charset=utf-8', requestId, `${message}\n`)
    : rawAnswer(
        status,
        'application/json; charset=utf-8',
        requestId,
        JSON.stringify(envelope(code, undefined, message)),
      );
}
