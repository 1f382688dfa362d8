/**
 * An app's log over HTTP. A session's URL needs no credentials: it carries what was asked for, sealed by the platform's key, and is good
 * for five minutes, on every replica. It is never logged: the log has route patterns only.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { systemActor } from '../../core/access/actor.ts';
import { notFound } from '../../core/errors.ts';
import type { LogReadOptions } from '../../core/ports/log-store.ts';
import { Secret } from '../../core/ports/secret.ts';
import { endSignal } from '../../http/instance.ts';
import { sendChunks } from '../../http/streaming/chunks.ts';
import { appKey } from './app-shape.ts';
import { type Call, created, param, type Route } from './call.ts';
import { unprocessable } from './errors.ts';
import { fieldsOf, flag, whole } from './fields.ts';
import { logLine } from './log-line.ts';
import type { AkkerisParts } from './settings.ts';

const SESSION_MS = 5 * 60_000;
const LINES_DEFAULT = 100;
const sealContext = 'akkeris/log-session';

interface Session {
  readonly app: string;
  readonly lines: number;
  readonly tail: boolean;
  /** Milliseconds since 1970. */
  readonly until: number;
}

export function logSessionRoutes({ core, settings, clock, ids, box }: AkkerisParts): readonly Route[] {
  async function create(call: Call): Promise<unknown> {
    const fields = fieldsOf(call.body);
    const lines = whole(fields, 'lines') ?? LINES_DEFAULT;
    if (!(lines >= 1 && lines <= 250)) throw unprocessable('The number of lines must be between 1 and 250.');
    const { app } = await core.logs.read(call.actor, param(call, 'app'), { lines: 1, follow: false });
    const now = clock.now();
    const session: Session = {
      app: app.id,
      lines,
      tail: flag(fields, 'tail') ?? false,
      until: now.getTime() + SESSION_MS,
    };
    const token = Buffer.from(box.seal(new Secret(JSON.stringify(session)), sealContext)).toString('hex');
    return {
      id: ids.id(),
      created_at: now.toISOString(),
      logplex_url: `${settings.publicUrl}/log-sessions/${token}`,
      updated_at: now.toISOString(),
    };
  }

  /** Throws `not-found` for a session that is forged or over. */
  function openSession(token: string): Session {
    let session: Session | null = null;
    try {
      session = JSON.parse(box.open(Buffer.from(token, 'hex'), sealContext).reveal()) as Session;
    } catch {
      // Forged, cut off, or sealed with another key: as if it were not there.
    }
    if (session === null || session.until < clock.now().getTime()) throw notFound('log session');
    return session;
  }

  async function stream(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const session = openSession((request.params as { token: string }).token);
    const signal = endSignal(request, reply);
    const options: LogReadOptions = { lines: session.lines, follow: session.tail, signal };
    const { app, lines } = await core.logs.read(systemActor, session.app, options);
    const key = appKey(app);
    await sendChunks(reply, { contentType: 'text/plain; charset=utf-8', signal }, texts(lines, key));
  }

  async function* texts(
    batches: Awaited<ReturnType<typeof core.logs.read>>['lines'],
    key: string,
  ): AsyncIterable<string> {
    for await (const { lines, dropped } of batches) {
      if (dropped > 0) {
        const text = `${dropped} lines were left out, this reader is too slow`;
        yield logLine({ at: clock.now(), source: 'platform', process: '', instance: '', seat: '', text }, key);
      }
      if (lines.length > 0) yield lines.map((line) => logLine(line, key)).join('');
    }
  }

  return [
    {
      method: 'POST',
      path: '/apps/:app/log-sessions',
      access: 'app.read.log',
      handle: async (call) => created(await create(call)),
    },
    { method: 'GET', path: '/log-sessions/:token', access: 'public', respond: stream },
  ];
}
