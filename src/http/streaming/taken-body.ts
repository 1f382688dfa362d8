/** The body of a request whose connection was taken over; what follows it stays on the connection, for the stream. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { BerthError, invalid } from '../../core/errors.ts';
import { framingOf } from './body-framing.ts';

export interface BodyLimits {
  readonly maxBytes: number;
  readonly timeoutMs: number;
}

/**
 * Reads the body from `head` and the socket. Throws `too-large`, and `invalid` for a malformed body, one that breaks off, or one that does
 * not come in time.
 */
export async function takeBody(
  request: Pick<IncomingMessage, 'headers'>,
  socket: Duplex,
  head: Buffer,
  limits: BodyLimits,
): Promise<Buffer> {
  const framing = framingOf(request.headers);
  const parts: Buffer[] = [];
  let size = 0;
  const take = (content: Buffer): void => {
    size += content.length;
    if (size > limits.maxBytes) throw new BerthError('too-large', 'the body is too large');
    parts.push(content);
  };
  if (head.length > 0) socket.unshift(head);
  // A client that waits for leave to send its body sends none before.
  const asks = request.headers.expect?.toLowerCase() === '100-continue';
  if (asks && head.length === 0 && !framing.done) socket.write('HTTP/1.1 100 Continue\r\n\r\n');
  const late = AbortSignal.timeout(limits.timeoutMs);
  while (!framing.done) {
    const bytes = socket.read() as Buffer | null;
    if (bytes === null) {
      if (socket.readableEnded || socket.destroyed) throw invalid('body', 'the body broke off', 'malformed-request');
      await change(socket, late);
      if (late.aborted) throw invalid('body', 'the body did not come in time', 'malformed-request');
      continue;
    }
    const used = framing.push(bytes, take);
    if (used < bytes.length) socket.unshift(bytes.subarray(used));
  }
  return Buffer.concat(parts);
}

/** Waits until there is more to read, or nothing ever will be, or the signal. */
function change(socket: Duplex, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const events = ['readable', 'end', 'close'] as const;
    const settle = (): void => {
      for (const event of events) socket.off(event, settle);
      signal.removeEventListener('abort', settle);
      resolve();
    };
    for (const event of events) socket.once(event, settle);
    signal.addEventListener('abort', settle, { once: true });
    if (signal.aborted) settle();
  });
}
