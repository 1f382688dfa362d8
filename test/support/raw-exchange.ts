import { connect } from 'node:net';

/** Sends bytes as they are on a connection of its own and gives all that comes back until the other side closes or falls silent. */
export function rawExchange(port: number, bytes: string | Buffer, silenceMs = 15_000): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    const end = (): void => {
      socket.destroy();
      resolve(Buffer.concat(chunks).toString('latin1'));
    };
    socket.setTimeout(silenceMs, end);
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.once('end', end);
    socket.once('error', (error: NodeJS.ErrnoException) => {
      // Refused amid a long request: what was answered before counts.
      if (error.code === 'ECONNRESET' || error.code === 'EPIPE') end();
      else reject(error);
    });
  });
}

/** The status of the first answer in it, or 0. */
export const firstStatus = (answer: string): number => Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0);
