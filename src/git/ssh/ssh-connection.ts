/** One SSH connection: shows who it is by a key, then runs git's services and opens tunnels, and nothing else. */
import type { Socket } from 'node:net';
import type { AuthContext, Connection, ServerChannel, Session, utils } from 'ssh2';
import type { Actor } from '../../core/access/actor.ts';
import { BerthError } from '../../core/errors.ts';
import { parseCommand } from './command.ts';
import type { SshDoorOptions, SshLimits } from './door.ts';
import { acceptKey, onNamedRequest, prohibit } from './ssh2-internals.ts';
import { openTunnel } from './tunnel.ts';

export interface Peer {
  readonly socket: Socket;
  connection: SshConnection | null;
  /** Has shown who it is. */
  known: boolean;
}

/** The only one there is; what it may do is the key's. */
const USER = 'git';
/** Requests of Scalingo's clients for signing in by key (`login --ssh`). */
const loginRequests: Readonly<Record<string, 'token' | 'bearer'>> = {
  'auth@scalingo.com': 'token',
  'auth.v2@scalingo.com': 'bearer',
};

export class SshConnection {
  readonly #client: Connection;
  readonly #parseKey: typeof utils.parseKey;
  readonly #peer: Peer;
  readonly #options: SshDoorOptions;
  readonly #limits: SshLimits;
  #failures = 0;
  #key: Uint8Array | null = null;
  #channels = 0;
  #idle: NodeJS.Timeout | null = null;

  constructor(
    client: Connection,
    parseKey: typeof utils.parseKey,
    peer: Peer,
    options: SshDoorOptions,
    limits: SshLimits,
  ) {
    this.#client = client;
    this.#parseKey = parseKey;
    this.#peer = peer;
    this.#options = options;
    this.#limits = limits;
    client.on('error', (error) => options.logger.debug({ err: error }, 'an SSH connection failed'));
    client.on('authentication', (context) => void this.#authenticate(context));
    client.once('ready', () => this.#begin());
    client.once('close', () => this.#stopIdling());
    const { loginToken } = options;
    if (loginToken !== undefined)
      onNamedRequest(client, Object.keys(loginRequests), (name) =>
        this.#logIn(loginToken, loginRequests[name] ?? 'token'),
      );
  }

  end(): void {
    this.#client.end();
  }

  async #authenticate(context: AuthContext): Promise<void> {
    try {
      if (context.method === 'publickey' && context.username === USER && (await this.#holds(context))) {
        if (context.signature === undefined) return acceptKey(context);
        this.#key = context.key.data;
        return context.accept();
      }
    } catch (error) {
      this.#options.logger.warn({ err: error }, 'an SSH key could not be looked up');
    }
    // Clients begin with none, to hear what there is.
    if (context.method !== 'none') this.#failures += 1;
    context.reject(['publickey']);
    if (this.#failures >= this.#limits.authTries) this.end();
  }

  /** Somebody has this key, and, when there is a signature, it was made with it. */
  async #holds(context: Extract<AuthContext, { method: 'publickey' }>): Promise<boolean> {
    const { key, signature, blob, hashAlgo } = context;
    const data = Buffer.from(key.data);
    const actor = await this.#options.actorByKey(data);
    if (actor === null) return false;
    if (signature === undefined) return true;
    const parsed = this.#parseKey(data);
    return !(parsed instanceof Error) && blob !== undefined && parsed.verify(blob, signature, hashAlgo) === true;
  }

  #begin(): void {
    this.#peer.known = true;
    this.#client.on('session', (accept, reject) => {
      if (this.#channels >= this.#limits.channels) return prohibit(this.#client, reject, 'too many channels');
      const session = accept();
      this.#opened(session);
      this.#offer(session);
    });
    this.#client.on('tcpip', (accept, reject, { destIP, destPort }) => {
      void this.#tunnel(accept, reject, destIP, destPort);
    });
    this.#startIdling();
  }

  /** What has no listener (a terminal, variables, agents, X11, forwarded ports) the library refuses. */
  #offer(session: Session): void {
    session.once('exec', (accept, _reject, { command }) => void this.#execute(accept(), command));
    session.once('shell', (accept) => this.#decline(accept()));
    session.once('subsystem', (accept) => this.#decline(accept()));
  }

  async #execute(channel: ServerChannel, text: string): Promise<void> {
    channel.on('error', () => {});
    const command = parseCommand(text);
    if (command === null) return this.#decline(channel);
    try {
      const call = await this.#options.git.open(await this.#actor(), command.app, command.service);
      const streams = { input: channel, output: channel, errors: channel.stderr };
      channel.exit(await this.#options.git.serve(call, streams, { part: 'whole' }));
    } catch (error) {
      if (!(error instanceof BerthError)) this.#options.logger.error({ err: error }, 'a git command over SSH failed');
      channel.stderr.write(`berth: ${error instanceof BerthError ? error.message : 'internal error'}\n`);
      channel.exit(1);
    }
    channel.end();
  }

  #decline(channel: ServerChannel): void {
    channel.on('error', () => {});
    channel.stderr.write(`berth: only git works here: push, fetch and clone of ${USER}@<this server>:<app>.git\n`);
    channel.exit(1);
    channel.end();
  }

  async #tunnel(accept: () => ServerChannel, reject: () => void, host: string, port: number): Promise<void> {
    const { tunnelTarget, logger } = this.#options;
    const refuse = (words: string): void => prohibit(this.#client, reject, words);
    try {
      if (this.#channels >= this.#limits.channels) return refuse('too many channels');
      const target = tunnelTarget === undefined ? null : await tunnelTarget(await this.#actor(), host, port);
      if (target === null) return refuse('tunnels lead to the add-ons of your own apps only');
      const socket = await openTunnel(target, this.#limits);
      if (this.#peer.socket.destroyed) return void socket.destroy();
      const channel = accept();
      this.#opened(channel);
      channel.on('error', () => socket.destroy());
      channel.once('close', () => socket.destroy());
      socket.once('close', () => channel.end());
      channel.pipe(socket).pipe(channel);
    } catch (error) {
      if (!(error instanceof BerthError)) logger.warn({ err: error }, 'a tunnel could not be opened');
      if (error instanceof BerthError && error.kind !== 'unavailable') refuse(error.message);
      else reject();
    }
  }

  async #logIn(token: NonNullable<SshDoorOptions['loginToken']>, kind: 'token' | 'bearer'): Promise<string | null> {
    try {
      return await token(await this.#actor(), kind);
    } catch (error) {
      this.#options.logger.warn({ err: error }, 'a login by SSH key failed');
      return null;
    }
  }

  /** Asked again for everything that is opened: a key that was taken away opens nothing more. */
  async #actor(): Promise<Actor> {
    const actor = this.#key === null ? null : await this.#options.actorByKey(this.#key);
    if (actor === null) throw new BerthError('unauthenticated', 'your key is no longer known here');
    return actor;
  }

  #opened(channel: ServerChannel): void {
    this.#channels += 1;
    this.#stopIdling();
    channel.once('close', () => {
      this.#channels -= 1;
      if (this.#channels === 0) this.#startIdling();
    });
  }

  #startIdling(): void {
    this.#stopIdling();
    if (!this.#peer.socket.destroyed) this.#idle = setTimeout(() => this.end(), this.#limits.idleMs);
  }

  #stopIdling(): void {
    if (this.#idle !== null) clearTimeout(this.#idle);
    this.#idle = null;
  }
}
