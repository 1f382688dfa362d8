/** What the SSH door asks of the rest of the platform. */
import type { Actor } from '../../core/access/actor.ts';
import type { Ids } from '../../core/ports/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import type { GitServer } from '../git-server.ts';

export interface SshDoorOptions {
  readonly host: string;
  /** 0 takes any that is free. */
  readonly port: number;
  readonly keysFolder: string;
  readonly git: GitServer;
  readonly ids: Ids;
  readonly logger: Logger;
  /** Who has this public key (as it comes over the wire: RFC 4253, 6.6); null when nobody has. */
  readonly actorByKey: (key: Uint8Array) => Promise<Actor | null>;
  /** Where a tunnel to host and port leads for this actor; null refuses it. Without the function every tunnel is refused. */
  readonly tunnelTarget?: (actor: Actor, host: string, port: number) => Promise<TunnelTarget | null>;
  /** The text that signs a client in elsewhere: `token` an API token, `bearer` a short-lived one. Without it the request is refused. */
  readonly loginToken?: (actor: Actor, kind: 'token' | 'bearer') => Promise<string>;
  readonly limits?: Partial<SshLimits>;
}

export interface TunnelTarget {
  readonly host: string;
  readonly port: number;
}

export interface SshLimits {
  readonly connections: number;
  /** Connections whose client has not yet shown who it is. */
  readonly strangers: number;
  readonly channels: number;
  readonly authTries: number;
  readonly handshakeMs: number;
  /** Without an open channel. A client that is gone is noticed by the library's keep-alives, within a minute. */
  readonly idleMs: number;
  readonly tunnelIdleMs: number;
  readonly tunnelConnectMs: number;
}

export const defaultSshLimits: SshLimits = {
  connections: 200,
  strangers: 40,
  channels: 16,
  authTries: 10,
  handshakeMs: 20_000,
  idleMs: 60_000,
  tunnelIdleMs: 60 * 60_000,
  tunnelConnectMs: 10_000,
};
