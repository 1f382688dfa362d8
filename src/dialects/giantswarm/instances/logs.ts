/** The lines of one seat, also those of the instances that sat in it before. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { LogBatches } from '../../../core/ports/log-store.ts';
import { endSignal } from '../../../http/instance.ts';
import { sendChunks } from '../../../http/streaming/chunks.ts';
import { authenticate } from '../auth.ts';
import type { Call, Route } from '../call.ts';
import { wrongInput } from '../errors.ts';
import type { GiantSwarmParts } from '../settings.ts';
import { instanceOf } from './find-instance.ts';
import { logText } from './log-line.ts';

/** What clients ask for when they ask for nothing else. */
const LINES_DEFAULT = 10;

export function logRoutes(parts: GiantSwarmParts): readonly Route[] {
  const { core } = parts;

  async function logs(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const actor = await authenticate(core, request.headers);
    const query = request.query as Call['query'];
    const { app, component, seat } = await instanceOf(parts, {
      actor,
      params: request.params as Call['params'],
      query,
      body: undefined,
    });
    const signal = endSignal(request, reply);
    const { lines } = await core.logs.read(actor, app.id, {
      lines: linesWanted(query.t),
      follow: false,
      signal,
      filter: { process: component.process.type, seat: seat.seat },
    });
    await sendChunks(reply, { contentType: 'text/plain; charset=utf-8', signal }, texts(lines));
  }

  return [{ method: 'GET', path: '/v1/org/:org/instance/:instance/logs', access: 'app.read.log', respond: logs }];
}

/** A number, or `all` that are kept. Throws 10013 for anything else. */
function linesWanted(t: Call['query'][string]): number {
  if (t === undefined || t === '') return LINES_DEFAULT;
  if (t === 'all') return Number.MAX_SAFE_INTEGER;
  if (typeof t !== 'string' || !/^\d{1,9}$/.test(t)) throw wrongInput('t must be a number or all');
  return Number(t);
}

async function* texts(batches: LogBatches): AsyncIterable<string> {
  for await (const { lines } of batches) yield lines.map((line) => `${logText(line)}\n`).join('');
}
