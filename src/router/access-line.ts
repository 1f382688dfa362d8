/** The words of an access line. The query stays out, because it may hold secrets. */
import type { Failure } from './failures.ts';
import { type ClientIdentity, forwardedChain } from './forwarded.ts';
import type { RequestHead } from './request-head.ts';
import type { Target } from './target.ts';

export interface AccessEntry {
  readonly head: RequestHead;
  readonly client: ClientIdentity;
  readonly requestId: string;
  readonly status: number;
  readonly sentBytes: number;
  readonly connectMs: number;
  readonly serviceMs: number;
  readonly totalMs: number;
  readonly target: Target | null;
  /** Why the router itself answered or cut the request. */
  readonly failure: Failure | null;
}

const maxPath = 2048;

/** `bytes=… method=… request_id=… … path=…`, and `at=error code=… desc="…"` before it for a failure. */
export function accessLine(entry: AccessEntry): string {
  const { head, client, target, failure } = entry;
  const scheme = client.secure ? 'https' : 'http';
  const authority = head.authority;
  const dyno = target === null ? '' : `${target.processType}.${target.id}`;
  const fwd = client.trusted ? forwardedChain(client, head.fields).replaceAll(/[\s"]/g, '') : client.address;
  const path = head.path.length > maxPath ? head.path.slice(0, maxPath) : head.path;
  const trouble = failure === null ? '' : `at=error code=${failure.code} desc="${failure.title}" `;
  return (
    `${trouble}bytes=${entry.sentBytes} method=${head.method} request_id=${entry.requestId} fwd=${fwd} ` +
    `authority=${authority} origin=${scheme}://${authority} protocol=HTTP/1.${head.minor} tls=${client.secure} ` +
    `status=${entry.status} connect=${milliseconds(entry.connectMs)} service=${milliseconds(entry.serviceMs)} ` +
    `total=${milliseconds(entry.totalMs)} dyno=${dyno} host=${head.host} path=${path}`
  );
}

/** `1.23ms`; integers joined by hand, because printing fractions is slow. */
function milliseconds(ms: number): string {
  const hundredths = Math.max(0, Math.round(ms * 100));
  const rest = hundredths % 100;
  return `${(hundredths - rest) / 100}.${rest < 10 ? '0' : ''}${rest}ms`;
}
