/**
 * Certificates by server name, changed while running. A name without one gets no handshake: there is no certificate that would be
 * right for it. node:tls is loaded with the first certificate, because a worker without any should not pay for it.
 */
import type { Socket } from 'node:net';
import type { SecureContext, Server } from 'node:tls';
import type { RouteCertificate } from '../core/ports/router.ts';

interface Entry {
  readonly certificate: RouteCertificate;
  /** Null for a certificate that cannot be used, e.g. a key that does not belong to it. */
  readonly context: SecureContext | null;
}

export class TlsTerminator {
  readonly #onSecure: (socket: Socket) => void;
  readonly #onProblem: (hosts: readonly string[], error: unknown) => void;
  #byHost = new Map<string, Entry>();
  #server: Promise<Server> | null = null;

  /** `onProblem` hears of certificates that cannot be used. */
  constructor(onSecure: (socket: Socket) => void, onProblem: (hosts: readonly string[], error: unknown) => void) {
    this.#onSecure = onSecure;
    this.#onProblem = onProblem;
  }

  /** Serves these certificates from the next handshake on. */
  async use(certificates: readonly RouteCertificate[]): Promise<void> {
    const byHost = new Map<string, Entry>();
    for (const certificate of certificates) {
      const known = this.#byHost.get(certificate.hosts[0] ?? '');
      const same =
        known?.certificate.certificatePem === certificate.certificatePem &&
        known.certificate.privateKeyPem === certificate.privateKeyPem;
      const entry = same && known !== undefined ? known : await this.#load(certificate);
      for (const host of certificate.hosts) byHost.set(host.toLowerCase(), entry);
    }
    this.#byHost = byHost;
  }

  /** Takes a raw connection; the secure one follows when its handshake is done. */
  accept(socket: Socket): void {
    socket.on('error', () => {});
    if (this.#byHost.size === 0) {
      socket.destroy();
      return;
    }
    this.#server ??= this.#start();
    this.#server.then((server) => server.emit('connection', socket)).catch(() => socket.destroy());
  }

  /** The context for a server name: its own, else its wildcard's. */
  find(name: string): SecureContext | null {
    const host = name.toLowerCase();
    const own = this.#byHost.get(host)?.context;
    if (own !== undefined && own !== null) return own;
    const dot = host.indexOf('.');
    return (dot === -1 ? undefined : this.#byHost.get(`*${host.slice(dot)}`)?.context) ?? null;
  }

  async #load(certificate: RouteCertificate): Promise<Entry> {
    const { createSecureContext } = await import('node:tls');
    try {
      const context = createSecureContext({
        cert: certificate.certificatePem,
        key: certificate.privateKeyPem,
        minVersion: 'TLSv1.2',
      });
      return { certificate, context };
    } catch (error) {
      this.#onProblem(certificate.hosts, error);
      return { certificate, context: null };
    }
  }

  async #start(): Promise<Server> {
    const { createServer } = await import('node:tls');
    const server = createServer({
      ALPNProtocols: ['http/1.1'],
      handshakeTimeout: 10_000,
      allowHalfOpen: true,
      minVersion: 'TLSv1.2',
      SNICallback: (name, done) => {
        const context = this.find(name);
        if (context === null) done(new Error('no certificate for this name'));
        else done(null, context);
      },
    });
    server.on('secureConnection', (socket) => this.#onSecure(socket));
    server.on('tlsClientError', (_error, socket) => socket.destroy());
    return server;
  }
}
