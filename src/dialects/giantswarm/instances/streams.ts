/**
 * Logs and stats of instances as they come. `POST …/stream/logs` or `…/stream/stats` gives a token; a WebSocket on the same path with
 * `?p=<token>` is the stream, without any other credentials: clients of this API send none there. The messages are texts: a log line in the form of
 * `…/logs`, from the moment of the token on; or a JSON object of `…/stats` with `InstanceId`.
 *
 * A stream closes with 1008 when its reader has lost access, with 1000 when nothing is left to tell of, with 1011 when it failed.
 */
import type { WebSocket } from 'ws';
import { BerthError } from '../../../core/errors.ts';
import type { WebSocketRoute } from '../../../http/streaming/upgrades.ts';
import { answer, type Call, type Route } from '../call.ts';
import type { Envelope } from '../envelope.ts';
import { forbiddenHere, Refusal } from '../errors.ts';
import { organizationOf } from '../scope.ts';
import type { GiantSwarmParts } from '../settings.ts';
import { InstanceFinder } from './find-instance.ts';
import { streamLogs } from './log-stream.ts';
import { streamStats } from './stats-stream.ts';
import { mayRead, readerOf, type StreamReader, watchAccess } from './stream-access.ts';
import { parseStream } from './stream-input.ts';
import type { RedeemedGrant, StreamKind, StreamTokens } from './stream-tokens.ts';
import { type WatchedApp, watchedApps } from './watched-apps.ts';

const ACCESS_EVERY_MS = 5_000;
const closeCodes = { ended: 1000, lost: 1008, failed: 1011 } as const;

export function streamRoutes(parts: GiantSwarmParts, tokens: StreamTokens): readonly Route[] {
  const { core } = parts;

  async function grant(call: Call, kind: StreamKind): Promise<Envelope> {
    const team = await organizationOf(core, call);
    const { userId } = call.actor;
    // A stream is read by somebody whose rights can be looked up again.
    if (userId === null) throw forbiddenHere();
    const { instances, intervalMs } = parseStream(call.body);
    const finder = new InstanceFinder(parts, call.actor, team);
    const chosen: Record<string, string[]> = {};
    for (const reference of instances ?? []) {
      const { app, seat } = await finder.find(reference);
      if (!(await mayRead(core, kind, call.actor, app))) throw forbiddenHere();
      chosen[app.id] = [...(chosen[app.id] ?? []), seat.id];
    }
    const token = tokens.issue({
      kind,
      userId,
      teamId: team.id,
      instances: instances === null ? null : chosen,
      intervalMs,
    });
    return answer('data', token);
  }

  const route = (kind: StreamKind): Route => ({
    method: 'POST',
    path: `/v1/org/:org/stream/${kind}`,
    access: kind === 'logs' ? 'app.read.log' : 'app.read.metric',
    handle: (call) => grant(call, kind),
  });
  return [route('logs'), route('stats')];
}

export function streamSockets(parts: GiantSwarmParts, tokens: StreamTokens): readonly WebSocketRoute[] {
  const route = (kind: StreamKind): WebSocketRoute => ({
    path: new RegExp(`^/v1/(?:org|company)/(?<org>[^/]+)/stream/${kind}/?$`),
    open: async ({ url, params }) => {
      const grant = tokens.redeem(url.searchParams.get('p') ?? '', kind);
      const reader = await readerOf(parts.core, grant);
      if (reader.team.name !== params.org) throw forbiddenHere();
      const apps = await readable(parts, reader, grant, await watchedApps(parts.core, reader, grant));
      return (socket) => void serve(parts, grant, reader, apps, socket);
    },
  });
  return [route('logs'), route('stats')];
}

async function readable(
  { core }: GiantSwarmParts,
  { actor }: StreamReader,
  { kind }: RedeemedGrant,
  apps: readonly WatchedApp[],
): Promise<readonly WatchedApp[]> {
  const may = await Promise.all(apps.map(({ app }) => mayRead(core, kind, actor, app)));
  return apps.filter((_app, index) => may[index] === true);
}

async function serve(
  parts: GiantSwarmParts,
  grant: RedeemedGrant,
  first: StreamReader,
  firstApps: readonly WatchedApp[],
  socket: WebSocket,
): Promise<void> {
  let [reader, apps] = [first, firstApps];
  const over = new AbortController();
  const ends = new Map(apps.map(({ app }) => [app.id, new AbortController()]));
  const end = (code: number): void => {
    over.abort();
    for (const one of ends.values()) one.abort();
    socket.close(code);
  };
  socket.once('close', () => end(closeCodes.ended));
  const check = async (): Promise<void> => {
    reader = await readerOf(parts.core, grant);
    apps = await readable(parts, reader, grant, apps);
    for (const [id, one] of ends) if (!apps.some(({ app }) => app.id === id)) one.abort();
    if (apps.length === 0) end(closeCodes.ended);
    // Proxies between cut a connection on which nothing happens.
    socket.ping();
  };
  void watchAccess(check, ACCESS_EVERY_MS, over.signal).then((result) => {
    if (result !== null) end(isRefusal(result.lost) ? closeCodes.lost : closeCodes.failed);
  });
  try {
    if (grant.kind === 'logs') {
      const streams = apps.map((watched) => {
        const signal = ends.get(watched.app.id)?.signal ?? over.signal;
        return streamLogs(parts, reader, watched, grant.since, socket, signal);
      });
      await Promise.all(streams);
    } else
      await streamStats(
        parts,
        { reader: () => reader, apps: () => apps, intervalMs: grant.intervalMs },
        socket,
        over.signal,
      );
    end(closeCodes.ended);
  } catch (error) {
    parts.logger.warn({ err: error }, 'a stream failed');
    end(closeCodes.failed);
  }
}

const isRefusal = (error: unknown): boolean =>
  error instanceof Refusal ||
  (error instanceof BerthError && ['unauthenticated', 'forbidden', 'not-found'].includes(error.kind));
