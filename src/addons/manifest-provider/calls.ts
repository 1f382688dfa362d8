/** One call to a provider: JSON both ways, Basic credentials of its manifest, a time limit, and what its answer means. */
import { AddonRefused, type ServiceManifest } from '../../core/ports/addon-provider.ts';
import type { Dialer } from '../../lib/dialer.ts';
import { collectBytes } from '../../lib/streams.ts';

const TIMEOUT_MS = 30_000;
const ANSWER_MAX_BYTES = 256 * 1024;
const MESSAGE_MAX = 300;

export interface ProviderCall {
  readonly method: 'POST' | 'PUT' | 'DELETE';
  /** Below the base URL; '' for the base itself. */
  readonly resourceId: string;
  readonly body?: Readonly<Record<string, unknown>>;
  /** The same for every repetition of the same call. */
  readonly idempotencyKey: string;
}

export interface ProviderAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/**
 * Resolves with an answer of 2xx, or 404 and 410, which the caller judges. Throws AddonRefused for another 4xx, with the provider's own
 * words; any other failure is to be tried again.
 */
export async function callProvider(
  dialer: Dialer,
  manifest: ServiceManifest,
  call: ProviderCall,
  signal: AbortSignal,
): Promise<ProviderAnswer> {
  const pair = Buffer.from(`${manifest.username}:${manifest.password.reveal()}`).toString('base64');
  const response = await dialer.dial({
    url: resourceUrl(manifest.baseUrl, call.resourceId),
    method: call.method,
    headers: {
      accept: 'application/json',
      authorization: `Basic ${pair}`,
      'idempotency-key': call.idempotencyKey,
      ...(call.body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
    timeoutMs: TIMEOUT_MS,
    maxBytes: ANSWER_MAX_BYTES,
    maxRedirects: 0,
    signal,
  });
  const text = (await collectBytes(response.body, ANSWER_MAX_BYTES)).toString('utf8');
  const { status } = response;
  const body = parsed(text);
  if ((status >= 200 && status < 300) || status === 404 || status === 410) return { status, body };
  if (status < 400 || status >= 500 || status === 408 || status === 425 || status === 429)
    throw new Error(`the provider answered ${status} to ${call.method}`);
  throw new AddonRefused(`the provider refused: ${words(body) ?? `it answered ${status}`}`);
}

/** The base with the resource's name as one more segment, whatever characters it has. */
export function resourceUrl(baseUrl: string, resourceId: string): string {
  if (resourceId === '') return baseUrl;
  const url = new URL(baseUrl);
  url.pathname = `${url.pathname.replace(/\/$/, '')}/${encodeURIComponent(resourceId)}`;
  return url.href;
}

function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : {};
  } catch {
    return {};
  }
}

function words(body: Readonly<Record<string, unknown>>): string | null {
  const found = [body.message, body.error].find((item) => typeof item === 'string' && item.trim() !== '');
  return typeof found === 'string' ? found.trim().replaceAll(/\s+/g, ' ').slice(0, MESSAGE_MAX) : null;
}
