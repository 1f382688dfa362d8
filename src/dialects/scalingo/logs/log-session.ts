/**
 * A log URL needs no credentials: its token says which app it shows, and which API token asked for it. What that one may see is looked up
 * each time the URL is used, so it opens nothing any more when the token is void or its holder has left the app.
 */
import type { Actor } from '../../../core/access/actor.ts';
import type { AppView } from '../../../core/apps/app.ts';
import { forbidden } from '../../../core/errors.ts';
import type { LogBatches, LogReadOptions } from '../../../core/ports/log-store.ts';
import { notThere } from '../errors.ts';
import type { ScalingoParts } from '../settings.ts';
import { openToken, sealToken } from '../url-token.ts';
import { labelFilter } from './log-label.ts';

/** Clients that follow come back with the same URL for as long as they run. */
const LIFETIME_MS = 24 * 60 * 60_000;
const DUMP_LINES = 20;
const LINES_MAX = 100_000;

interface Content {
  readonly appId: string;
  readonly tokenId: string;
}

export function logsUrl(
  parts: Pick<ScalingoParts, 'box' | 'clock'>,
  { actor, baseUrl }: { readonly actor: Actor; readonly baseUrl: string },
  app: Pick<AppView, 'id' | 'handle'>,
): string {
  if (actor.tokenId === null) throw forbidden('logs are read with a token', 'permission');
  const content: Content = { appId: app.id, tokenId: actor.tokenId };
  return `${baseUrl}/apps/${app.handle}/logs?token=${sealToken(parts, 'logs', content, LIFETIME_MS)}`;
}

export interface LogRequest {
  readonly lines: number;
  readonly stream: boolean;
  readonly filter: string | undefined;
}

/** What the URL's query asks for. */
export function logRequest(query: URLSearchParams): LogRequest {
  const stream = query.get('stream') === 'true';
  const said = query.get('n') ?? '';
  const usual = stream ? 0 : DUMP_LINES;
  const lines = /^\d{1,9}$/.test(said) ? Math.min(Number(said), LINES_MAX) : usual;
  return { lines, stream, filter: query.get('filter') ?? undefined };
}

export class LogSession {
  readonly #parts: ScalingoParts;
  readonly #content: Content;

  /** Throws `not-found` for a token that is none of ours, or over, and for one of another app. */
  constructor(parts: ScalingoParts, token: string) {
    this.#parts = parts;
    this.#content = openToken<Content>(parts, 'logs', token);
  }

  /** Throws when whoever asked for the URL may not read the log any more; everything then is as if it were not there. */
  async read(options: Omit<LogReadOptions, 'filter'>, filter: string | undefined): Promise<LogBatches> {
    const { authenticator, logs } = this.#parts.core;
    const actor = await authenticator.byTokenId(this.#content.tokenId).catch(() => {
      throw notThere('url');
    });
    const accepts = labelFilter(filter);
    const read = { ...options, ...(accepts === undefined ? {} : { filter: { accepts } }) };
    return (await logs.read(actor, this.#content.appId, read)).lines;
  }

  async check(): Promise<void> {
    await this.read({ lines: 0, follow: false }, undefined);
  }
}
