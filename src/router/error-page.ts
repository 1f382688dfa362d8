/** How a failure looks to a client: a small page, or JSON for those who ask for it. */

import type { Failure } from './failures.ts';
import { ACCEPT, fieldKind } from './field-kinds.ts';
import type { RequestHead } from './request-head.ts';
import { statusText } from './status-text.ts';

export interface ErrorPage {
  /** Head with the final empty line, latin1. */
  readonly head: string;
  readonly body: Buffer;
}

const retryAfterSeconds = 10;

/** The answer for a failure; `head` null when the request could not be read. The body of an answer to HEAD is left out. */
export function errorPage(
  failure: Failure,
  head: RequestHead | null,
  requestId: string,
  keepAlive: boolean,
): ErrorPage {
  const json = head !== null && prefersJson(head);
  const text = json ? jsonBody(failure, requestId) : htmlBody(failure, requestId);
  const body = Buffer.from(text);
  const lines = [
    `HTTP/1.1 ${failure.status} ${statusText(failure.status)}`,
    `Content-Type: ${json ? 'application/json' : 'text/html'}; charset=utf-8`,
    `Content-Length: ${body.length}`,
    'Cache-Control: no-store',
    `X-Request-Id: ${requestId}`,
    `X-Berth-Code: ${failure.code}`,
  ];
  if (failure.status === 503) lines.push(`Retry-After: ${retryAfterSeconds}`);
  if (failure.status === 405) lines.push('Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS');
  if (!keepAlive) lines.push('Connection: close');
  else if (head?.minor === 0) lines.push('Connection: keep-alive');
  return { head: `${lines.join('\r\n')}\r\n\r\n`, body: head?.method === 'HEAD' ? Buffer.alloc(0) : body };
}

function jsonBody(failure: Failure, requestId: string): string {
  const { code, title, text } = failure;
  return `${JSON.stringify({ error: { code, title, message: text, request_id: requestId } })}\n`;
}

function htmlBody(failure: Failure, requestId: string): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${failure.title}</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:15vh auto;padding:0 1rem;color:#222}small{color:#666}</style>
</head><body><h1>${failure.title}</h1><p>${failure.text}</p><small>${failure.code} &middot; ${requestId}</small></body></html>
`;
}

/** Whether Accept names JSON, and HTML not or with a lower weight. */
function prefersJson(head: RequestHead): boolean {
  let json = 0;
  let html = 0;
  for (let at = 0; at < head.fields.length; at += 2) {
    if (fieldKind(head.fields[at] as string) !== ACCEPT) continue;
    for (const range of (head.fields[at + 1] as string).toLowerCase().split(',')) {
      const [type = '', ...parameters] = range.split(';').map((part) => part.trim());
      const weight = Number(parameters.find((part) => part.startsWith('q='))?.slice(2) ?? 1);
      if (/^application\/(?:[\w.-]+\+)?json$/.test(type)) json = Math.max(json, weight);
      else if (type === 'text/html') html = Math.max(html, weight);
    }
  }
  return json > html;
}
