/** An app's log: the URL for it, and what that URL gives as text and as server-sent events. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { LogBatches } from '../../../core/ports/log-store.ts';
import { endSignal } from '../../../http/instance.ts';
import { sendChunks } from '../../../http/streaming/chunks.ts';
import { encodeEvent, serverSentEventType } from '../../../http/streaming/server-sent-events.ts';
import { showApp } from '../app-views.ts';
import { type Answer, type Call, ok, param, type Route } from '../call.ts';
import type { ScalingoParts } from '../settings.ts';
import { logFrames } from './log-frames.ts';
import { LogSession, logRequest, logsUrl } from './log-session.ts';
import { logText, lostLine } from './log-text.ts';

/** Clients of the first years take nothing but 200 and 404, later ones 204 too. */
const oldClient = /^(?:Go-http-client|Scalingo CLI v1\.[0-3]\.)/;

export function logRoutes(parts: ScalingoParts): readonly Route[] {
  const { core, clock } = parts;

  async function open(call: Call): Promise<Answer> {
    const { app } = await core.logs.read(call.actor, param(call, 'app'), { lines: 0, follow: false });
    return ok({ app: await showApp(parts, call, app), logs_url: logsUrl(parts, call, app) });
  }

  /** What is kept of a log is in the log itself. */
  async function archives(call: Call): Promise<Answer> {
    await core.logs.read(call.actor, param(call, 'app'), { lines: 0, follow: false });
    return ok({ archives: [], next_cursor: '', has_more: false });
  }

  async function show(request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
    const query = new URL(request.url, 'http://localhost').searchParams;
    const session = new LogSession(parts, query.get('token') ?? '');
    const { lines, stream, filter } = logRequest(query);
    const signal = endSignal(request, reply);
    const batches = await session.read({ lines, follow: stream, signal }, filter);
    reply.header('cache-control', 'no-store');
    if (stream) {
      const options = { contentType: serverSentEventType, signal };
      return sendChunks(reply, options, eventsOf(logFrames(batches, clock)));
    }
    const texts = textsOf(batches);
    const first = await texts.next();
    if (first.done === true) return reply.code(oldClient.test(request.headers['user-agent'] ?? '') ? 404 : 204).send();
    reply.type('text/plain; charset=utf-8');
    if (request.method === 'HEAD') return reply.send();
    return sendChunks(reply, { contentType: 'text/plain; charset=utf-8', signal }, resumed(first.value, texts));
  }

  async function* textsOf(batches: LogBatches): AsyncGenerator<string, undefined> {
    for await (const { lines, dropped } of batches) {
      if (dropped > 0) yield `${logText(lostLine(dropped, clock.now()))}\n`;
      if (lines.length > 0) yield lines.map((line) => `${logText(line)}\n`).join('');
    }
  }

  return [
    // The documents of the first year say POST; every client GETs.
    ...(['GET', 'POST'] as const).map(
      (method): Route => ({ method, path: '/v1/apps/:app/logs', access: 'app.read.log', handle: open }),
    ),
    { method: 'GET', path: '/v1/apps/:app/logs_archives', access: 'app.read.log', handle: archives },
    { method: 'GET', path: '/apps/:app/logs', access: 'public', respond: show },
  ];
}

async function* resumed(first: string, rest: AsyncIterable<string>): AsyncIterable<string> {
  yield first;
  yield* rest;
}

async function* eventsOf(frames: AsyncIterable<{ readonly event: string }>): AsyncIterable<string> {
  for await (const frame of frames) yield encodeEvent({ event: frame.event, data: JSON.stringify(frame) });
}
