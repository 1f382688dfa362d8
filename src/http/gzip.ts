/** Compresses whole answers for clients that ask for it; streams go out as they are, so that a line arrives when it is written. */
import { gzip } from 'node:zlib';
import type { FastifyInstance } from 'fastify';

/** Below it the header costs more than it saves. */
const WORTH_BYTES = 1024;

export function addGzip(instance: FastifyInstance): void {
  instance.addHook<unknown>('onSend', (request, reply, payload, done) => {
    if (typeof payload !== 'string' || payload.length < WORTH_BYTES) return done(null, payload);
    reply.header('vary', 'accept-encoding');
    if (!acceptsGzip(request.headers['accept-encoding'])) return done(null, payload);
    reply.header('content-encoding', 'gzip');
    reply.removeHeader('content-length');
    gzip(payload, { level: 1 }, done);
  });
}

/** `gzip`, but not `gzip;q=0`. */
export function acceptsGzip(header: string | string[] | undefined): boolean {
  return /(?:^|,)\s*gzip\s*(?:;\s*q\s*=\s*(?:1|0?\.\d*[1-9]|0\.\d*[1-9])[\d.]*\s*)?(?:,|$)/i.test(String(header ?? ''));
}
