import type { Instance } from './instance.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
}

const loopback = /^(?:127\.|::1$|localhost$)/;

/**
 * Where a port of an instance is reached. `declared` are the ports of its process: the row's own port stands for the first of them,
 * whatever number the engine gave it; the others are at the same host, when the engine gave the instance a network of its own. Wanted
 * null: the first. Gives null when the port is nowhere to be reached.
 */
export function addressOf(
  { host, port }: Pick<Instance, 'host' | 'port'>,
  declared: readonly number[],
  wanted: number | null = null,
): Address | null {
  if (host === null || port === null) return null;
  const first = declared[0] ?? port;
  if (wanted === null || wanted === first) return { host, port };
  // On the machine's own addresses any other number is somebody else's, even where the first happens to be the one that was declared.
  const ownNetwork = port === first && !loopback.test(host);
  return ownNetwork && declared.includes(wanted) ? { host, port: wanted } : null;
}
