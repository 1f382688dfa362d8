/** The far end of a tunnel: a connection to where the platform said, never to an address of the client's choosing. */
import { connect, type Socket } from 'node:net';
import { unavailable } from '../../core/errors.ts';
import type { SshLimits, TunnelTarget } from './door.ts';

/** Resolves when connected; a tunnel through which nothing flows for long is closed. Throws `unavailable`. */
export function openTunnel(
  target: TunnelTarget,
  { tunnelConnectMs, tunnelIdleMs }: Pick<SshLimits, 'tunnelConnectMs' | 'tunnelIdleMs'>,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ ...target, allowHalfOpen: true, noDelay: true });
    const late = setTimeout(() => socket.destroy(new Error('timed out')), tunnelConnectMs);
    const fail = (error: Error): void => {
      clearTimeout(late);
      reject(unavailable('the add-on does not answer', error));
    };
    socket.once('error', fail);
    socket.once('connect', () => {
      clearTimeout(late);
      socket.off('error', fail);
      // The other side of the tunnel is told by `close`.
      socket.on('error', () => {});
      socket.setTimeout(tunnelIdleMs, () => socket.destroy());
      resolve(socket);
    });
  });
}
