/**
 * The SSH door: one port, the user `git`, public keys only. Listens with plain sockets and loads the SSH library when the first client comes:
 * that takes 50 ms once and 18 MiB for ever, which many installs never need.
 */
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { Server as SshLibraryServer } from 'ssh2';
import { algorithms } from './algorithms.ts';
import { defaultSshLimits, type SshDoorOptions, type SshLimits } from './door.ts';
import { loadOrCreateHostKeys } from './host-keys.ts';
import { type Peer, SshConnection } from './ssh-connection.ts';

const CLOSE_MS = 1_000;

export class SshServer {
  readonly #options: SshDoorOptions;
  readonly #limits: SshLimits;
  readonly #listener: Server;
  readonly #peers = new Map<string, Peer>();
  #hostKeys: Promise<readonly string[]> | null = null;
  #library: Promise<SshLibraryServer> | null = null;

  constructor(options: SshDoorOptions) {
    this.#options = options;
    this.#limits = { ...defaultSshLimits, ...options.limits };
    // Nothing is read before the library is there.
    this.#listener = createServer({ pauseOnConnect: true, noDelay: true }, (socket) => void this.#welcome(socket));
  }

  /** Resolves with the port. Making keys at the first boot goes on meanwhile; clients wait for it. */
  async listen(): Promise<number> {
    const { port, host, logger, keysFolder, ids } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#listener.once('error', reject);
      this.#listener.listen({ port, host }, () => {
        this.#listener.off('error', reject);
        resolve();
      });
    });
    this.#listener.on('error', (error) => logger.error({ err: error }, 'the SSH port failed'));
    this.#hostKeys = loadOrCreateHostKeys(keysFolder, ids);
    this.#hostKeys.catch((error: unknown) =>
      logger.error({ err: error }, 'the SSH host keys could not be read or made'),
    );
    return (this.#listener.address() as AddressInfo).port;
  }

  /** Takes nobody in any more and says goodbye to who is there. */
  async close(): Promise<void> {
    await this.#hostKeys?.catch(() => {});
    if (!this.#listener.listening) return;
    const closed = new Promise<void>((resolve) => this.#listener.close(() => resolve()));
    for (const { connection, socket } of this.#peers.values()) {
      if (connection === null) socket.destroy();
      else connection.end();
    }
    const cut = setTimeout(() => {
      for (const { socket } of this.#peers.values()) socket.destroy();
    }, CLOSE_MS);
    await closed;
    clearTimeout(cut);
  }

  async #welcome(socket: Socket): Promise<void> {
    const strangers = [...this.#peers.values()].filter(({ known }) => !known).length;
    if (this.#peers.size >= this.#limits.connections || strangers >= this.#limits.strangers) {
      socket.destroy();
      return;
    }
    const key = keyOf(socket.remoteAddress, socket.remotePort);
    const peer: Peer = { socket, connection: null, known: false };
    this.#peers.set(key, peer);
    const late = setTimeout(() => {
      if (!peer.known) socket.destroy();
    }, this.#limits.handshakeMs);
    socket.once('close', () => {
      clearTimeout(late);
      this.#peers.delete(key);
    });
    socket.on('error', () => {});
    try {
      this.#library ??= this.#load();
      const library = await this.#library;
      if (!socket.destroyed) library.injectSocket(socket);
    } catch (error) {
      this.#library = null;
      this.#options.logger.error({ err: error }, 'an SSH client could not be served');
      socket.destroy();
    }
  }

  async #load(): Promise<SshLibraryServer> {
    const { default: ssh2 } = await import('ssh2');
    const hostKeys = [...((await this.#hostKeys) ?? [])];
    return new ssh2.Server({ hostKeys, algorithms, ident: 'Berth' }, (client, { ip, port }) => {
      const peer = this.#peers.get(keyOf(ip, port));
      if (peer === undefined) {
        client.end();
        return;
      }
      peer.connection = new SshConnection(client, ssh2.utils.parseKey, peer, this.#options, this.#limits);
    });
  }
}

const keyOf = (address: string | undefined, port: number | undefined): string => `${address} ${port}`;
