/** Sends an endless or long answer piece by piece, at the reader's pace. The base of ndjson, SSE and plain text streams. */
import { once } from 'node:events';
import type { FastifyReply } from 'fastify';

export interface StreamOptions {
  readonly contentType: string;
  readonly status?: number;
  /** Ends the stream, like the end of its source: see `endSignal`. */
  readonly signal: AbortSignal;
}

/**
 * Writes each chunk as it comes and waits while the reader is slower; resolves when the source has ended or the signal aborts. Headers
 * that the reply has already are sent too. A source that throws cuts the connection, so that no reader takes a part for the whole;
 * the error goes on to the caller's error handler, which logs it.
 */
export async function sendChunks(
  reply: FastifyReply,
  options: StreamOptions,
  chunks: AsyncIterable<string | Uint8Array>,
): Promise<void> {
  const { signal } = options;
  reply.hijack();
  const { raw } = reply;
  const headers = Object.entries(reply.getHeaders()).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  );
  raw.writeHead(options.status ?? 200, {
    ...Object.fromEntries(headers),
    'content-type': options.contentType,
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  });
  raw.flushHeaders();
  try {
    for await (const chunk of chunks) {
      if (signal.aborted || raw.destroyed) break;
      if (!raw.write(chunk)) await once(raw, 'drain', { signal });
    }
    raw.end();
  } catch (error) {
    if (signal.aborted) {
      raw.end();
      return;
    }
    raw.destroy();
    throw error;
  }
}
