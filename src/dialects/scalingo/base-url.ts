import type { IncomingHttpHeaders } from 'node:http';

const hostForm = /^(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i;

/**
 * Where the caller reaches this server: clients follow the absolute URLs in answers, so these have to lead where the request came from. The
 * header only changes what the one who sent it sees. `fallback` is without a final slash, and so is the answer.
 */
export function baseUrlOf(headers: IncomingHttpHeaders, fallback: string): string {
  const { host } = headers;
  if (host === undefined || !hostForm.test(host)) return fallback;
  const scheme = headers['x-forwarded-proto'] === 'https' ? 'https' : 'http';
  return `${scheme}://${host}`;
}

/** The same place for a WebSocket. */
export const socketUrl = (url: string): string => url.replace(/^http/, 'ws');
