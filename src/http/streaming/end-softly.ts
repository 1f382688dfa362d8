import type { Duplex } from 'node:stream';

/** How long a client may go on sending after everything for it was sent. */
const LINGER_MS = 10_000;

/**
 * Ends a connection so that its last bytes arrive: one that is closed while the client still sends is reset by the kernel, and what the
 * client has not read yet is lost. So what it sends is thrown away until it ends its side, for ten seconds after the last byte has left.
 */
export function endSoftly(socket: Duplex, last?: string | Buffer): void {
  if (!socket.writable) return void socket.destroy();
  socket.removeAllListeners('data');
  socket.resume();
  const finished = (): void => {
    if (socket.readableEnded || socket.destroyed) return void socket.destroy();
    const timer = setTimeout(() => socket.destroy(), LINGER_MS);
    socket.once('end', () => socket.destroy());
    socket.once('close', () => clearTimeout(timer));
  };
  if (last === undefined) socket.end(finished);
  else socket.end(last, finished);
}
