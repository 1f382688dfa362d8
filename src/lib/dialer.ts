/**
 * The only way to a URL that a user gave. Each connection resolves the name itself, checks every address and connects to what it
 * checked, so a name that changes between check and use gains nothing; each redirect is checked again. Bodies stream, with a limit.
 * Messages never carry the URL's credentials, path or query.
 */
import { lookup as dnsLookup, type LookupAddress } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { pipeline, type Readable } from 'node:stream';
import { getCACertificates } from 'node:tls';
import { type AddressPolicy, createAddressRules } from './dialer-address.ts';
import { limitBytes } from './streams.ts';

type Undici = typeof import('undici');

export interface DialerOptions extends AddressPolicy {
  /** PEM certificates to trust beside the system's. */
  readonly extraCa?: readonly string[];
  readonly connectTimeoutMs?: number;
  /** Resolves a name to all its addresses; the machine's resolver unless said otherwise. */
  readonly resolve?: (host: string) => Promise<readonly LookupAddress[]>;
}

export interface DialRequest {
  readonly url: string;
  readonly method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** For everything up to the body's last byte. */
  readonly timeoutMs: number;
  /** A longer body ends its stream with LimitExceeded. */
  readonly maxBytes: number;
  readonly maxRedirects?: number;
  readonly signal?: AbortSignal;
}

export interface DialResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** To be read to its end or destroyed. */
  readonly body: Readable;
}

export type DialErrorCode = 'url' | 'refused-address' | 'dns' | 'connect' | 'timeout' | 'redirects' | 'tls' | 'aborted';

export class DialError extends Error {
  readonly code: DialErrorCode;
  constructor(code: DialErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'DialError';
    this.code = code;
  }
}

export interface Dialer {
  /** Resolves with the last answer after at most `maxRedirects` (5) redirects, whatever its status. Rejects with DialError. */
  dial(request: DialRequest): Promise<DialResponse>;
  /** Closes idle connections. */
  close(): Promise<void>;
}

const redirectStatuses = new Set([301, 302, 303, 307, 308]);

/** All addresses of a name, by the machine's resolver. */
export const resolveByMachine = (host: string): Promise<LookupAddress[]> =>
  new Promise((resolve, reject) => {
    dnsLookup(host, { all: true }, (error, addresses) => (error === null ? resolve(addresses) : reject(error)));
  });

/** Loads what the first request will need; for filling the compile cache. */
export const loadDialerClient = (): Promise<Undici> => import('undici');

export function createDialer(options: DialerOptions): Dialer {
  const rules = createAddressRules(options);
  const resolveHost = options.resolve ?? resolveByMachine;

  const checkedLookup: LookupFunction = (host, lookupOptions, callback) => {
    resolveHost(host).then(
      (addresses) => {
        const refused = addresses.find((entry) => !rules.isAllowed(host, entry.address));
        const first = addresses[0];
        if (first === undefined) return callback(new DialError('dns', `${host} has no address`), '', 4);
        if (refused !== undefined) return callback(refusedAddress(host), '', 4);
        if (lookupOptions.all === true) return callback(null, [...addresses]);
        return callback(null, first.address, first.family);
      },
      (error) => callback(new DialError('dns', `${host} cannot be resolved`, error), '', 4),
    );
  };

  const openAgent = ({ Agent }: Undici): InstanceType<Undici['Agent']> =>
    new Agent({
      connect: {
        lookup: checkedLookup,
        timeout: options.connectTimeoutMs ?? 10_000,
        ...(options.extraCa === undefined || options.extraCa.length === 0
          ? {}
          : { ca: [...getCACertificates('default'), ...options.extraCa] }),
      },
      pipelining: 1,
      keepAliveTimeout: 5_000,
    });
  /** Loaded when somebody first dials: an idle platform does without it. */
  let client: Promise<{ readonly request: Undici['request']; readonly agent: InstanceType<Undici['Agent']> }> | null =
    null;
  const open = () => {
    client ??= loadDialerClient().then((undici) => ({ request: undici.request, agent: openAgent(undici) }));
    return client;
  };

  async function dial(request: DialRequest): Promise<DialResponse> {
    const maxRedirects = request.maxRedirects ?? 5;
    const timeout = AbortSignal.timeout(request.timeoutMs);
    const signal = request.signal === undefined ? timeout : AbortSignal.any([timeout, request.signal]);
    let step = firstStep(request);
    for (let hop = 0; ; hop += 1) {
      const { response, next } = await once(step, request, signal);
      if (next === null) return response;
      response.body.destroy();
      if (hop >= maxRedirects) throw new DialError('redirects', `more than ${maxRedirects} redirects`);
      step = next;
    }
  }

  async function once(
    step: Step,
    request: DialRequest,
    signal: AbortSignal,
  ): Promise<{ response: DialResponse; next: Step | null }> {
    const bareHost = step.url.hostname.replace(/^\[|\]$/g, '');
    // A literal address never goes through `lookup`.
    if (isIP(bareHost) !== 0 && !rules.isAllowed(bareHost, bareHost)) throw refusedAddress(bareHost);
    const { request: send, agent } = await open();
    try {
      const answer = await send(`${step.url.origin}${step.url.pathname}${step.url.search}`, {
        method: step.method,
        headers: step.headers,
        body: step.body ?? null,
        dispatcher: agent,
        signal,
        headersTimeout: request.timeoutMs,
        bodyTimeout: request.timeoutMs,
      });
      const headers: Record<string, string> = {};
      for (const [name, value] of Object.entries(answer.headers)) {
        if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value;
      }
      const limited = limitBytes(request.maxBytes);
      // An error reaches the reader through `limited`.
      pipeline(answer.body, limited, () => {});
      limited.on('error', () => {});
      return {
        response: { status: answer.statusCode, headers, body: limited },
        next: nextStep(step, answer.statusCode, headers),
      };
    } catch (error) {
      throw asDialError(error, step.url.hostname, request.signal);
    }
  }

  return {
    dial,
    async close() {
      await (await client)?.agent.close();
    },
  };
}

interface Step {
  readonly url: URL;
  readonly method: NonNullable<DialRequest['method']>;
  readonly headers: Record<string, string>;
  readonly body: string | Uint8Array | undefined;
}

function parseUrl(text: string, base?: URL): URL {
  let url: URL;
  try {
    url = new URL(text, base);
  } catch {
    throw new DialError('url', 'the URL is malformed');
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new DialError('url', 'only http and https URLs are fetched');
  return url;
}

function firstStep(request: DialRequest): Step {
  const url = parseUrl(request.url);
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers ?? {})) headers[name.toLowerCase()] = value;
  addCredentials(url, headers);
  return { url, method: request.method ?? 'GET', headers, body: request.body };
}

/** Moves `user:password@` into the header that it means. */
function addCredentials(url: URL, headers: Record<string, string>): void {
  if (url.username === '' && url.password === '') return;
  const pair = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  headers.authorization ??= `Basic ${Buffer.from(pair).toString('base64')}`;
}

function nextStep(step: Step, status: number, answer: Readonly<Record<string, string>>): Step | null {
  const location = answer.location;
  if (!redirectStatuses.has(status) || location === undefined) return null;
  const url = parseUrl(location, step.url);
  const headers = { ...step.headers };
  if (url.origin !== step.url.origin) {
    for (const name of ['authorization', 'cookie', 'proxy-authorization', 'host']) delete headers[name];
  }
  addCredentials(url, headers);
  const toGet = status === 303 || ((status === 301 || status === 302) && step.method === 'POST');
  if (!toGet || step.method === 'HEAD') return { url, method: step.method, headers, body: step.body };
  for (const name of ['content-type', 'content-length', 'content-encoding']) delete headers[name];
  return { url, method: 'GET', headers, body: undefined };
}

export function refusedAddress(host: string): DialError {
  return new DialError('refused-address', `${host} is not a public address, and the settings do not allow it`);
}

/** Puts whatever the client threw into one of our words; keeps the original as the cause. */
function asDialError(error: unknown, host: string, signal: AbortSignal | undefined): DialError {
  if (error instanceof DialError) return error;
  if (signal?.aborted) return new DialError('aborted', 'the request was cancelled', error);
  const { name, code, cause } = error as { name?: string; code?: string; cause?: unknown };
  if (cause instanceof DialError) return cause;
  const word = `${name ?? ''} ${code ?? ''}`;
  if (/timeout/i.test(word)) return new DialError('timeout', `${host} did not answer in time`, error);
  if (/cert|tls|ssl|self_signed|unable_to/i.test(word)) {
    return new DialError('tls', `${host} has no certificate that is trusted here`, error);
  }
  return new DialError('connect', `${host} cannot be reached`, error);
}
