/** Both ends of the way from this machine to another one. */
import { connect, isIPv4 } from 'node:net';
import type { Endpoint } from '../api/endpoint.ts';

export interface Wire {
  /** IPv4 addresses: this machine's, as the other sees it, and the other's. */
  readonly ours: string;
  readonly theirs: string;
}

const connectMs = 5_000;

/** Null for this machine itself, and where the way is not one of IPv4. Rejects when nothing answers there. */
export function findWire(endpoint: Endpoint): Promise<Wire | null> {
  if (endpoint.kind === 'unix') return Promise.resolve(null);
  const { host, port } = endpoint;
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, family: 4, timeout: connectMs });
    socket.once('connect', () => {
      const { localAddress: ours = '', remoteAddress: theirs = '' } = socket;
      socket.destroy();
      const isBetween = isIPv4(ours) && isIPv4(theirs) && ours !== theirs;
      resolve(isBetween ? { ours, theirs } : null);
    });
    socket.once('timeout', () => socket.destroy(new Error(`${host}:${port} does not answer`)));
    socket.once('error', reject);
  });
}
