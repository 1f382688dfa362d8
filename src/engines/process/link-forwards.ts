/**
 * Links where instances share the host's network: the agent listens on the loopback, one lasting port per target, and passes every
 * connection on to the backend that has the fewest. Connections end with the agent; new ones are taken as soon as it is back.
 */
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { LinkRoute } from '../../core/ports/engine.ts';
import type { Logger } from '../../lib/logger.ts';
import { readKept, writeKept } from '../common/kept-file.ts';
import type { LinkTable } from '../common/link-table.ts';
import type { LinkPlace, Links } from './links.ts';
import type { Ports } from './ports.ts';

interface Forward {
  readonly port: number;
  /** Null while there is no backend: connections are refused. */
  server: Server | null;
  backends: readonly Backend[];
}

interface Backend {
  readonly host: string;
  readonly port: number;
  connections: number;
  /** Rises with every choice, so that equals take turns. */
  turn: number;
}

export interface LinkForwardsOptions {
  /** Of the JSON file with the ports given so far. */
  readonly path: string;
  readonly ports: Ports;
  readonly table: LinkTable;
  readonly logger: Logger;
}

const loopback = '127.0.0.1';
const connectMs = 5_000;

export class LinkForwards implements Links {
  readonly #options: LinkForwardsOptions;
  readonly #forwards = new Map<string, Forward>();
  readonly #sockets = new Set<Socket>();
  #turn = 0;
  #taking: Promise<unknown> = Promise.resolve();

  constructor(options: LinkForwardsOptions) {
    this.#options = options;
    for (const [key, port] of Object.entries(readKept<Record<string, number>>(options.path) ?? {})) {
      options.ports.hold(port);
      this.#forwards.set(key, { port, server: null, backends: [] });
    }
  }

  /** Listens for the links that an earlier agent was told of. */
  async restore(): Promise<void> {
    await this.#bringUp();
  }

  async place(spaceId: string, target: string, port: number): Promise<LinkPlace> {
    const forward = await this.#forward(keyOf(spaceId, target, port));
    await this.#bringUp();
    return { host: loopback, port: forward.port };
  }

  async route(routes: readonly LinkRoute[]): Promise<void> {
    this.#options.table.replace(routes);
    for (const { spaceId, target, port } of routes) await this.#forward(keyOf(spaceId, target, port));
    await this.#bringUp();
  }

  prune(inUse: (spaceId: string, target: string) => boolean): void {
    let dropped = false;
    for (const [key, forward] of this.#forwards) {
      const [spaceId, target] = JSON.parse(key) as readonly [string, string];
      if (this.#options.table.has(spaceId, target) || inUse(spaceId, target)) continue;
      forward.server?.close();
      this.#options.ports.release(forward.port);
      this.#forwards.delete(key);
      dropped = true;
    }
    if (dropped) this.#save();
  }

  async close(): Promise<void> {
    for (const forward of this.#forwards.values()) forward.server?.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  /** One at a time: two askers of one target get one port. */
  #forward(key: string): Promise<Forward> {
    const turn = this.#taking.then(async () => {
      const known = this.#forwards.get(key);
      if (known !== undefined) return known;
      const forward: Forward = { port: await this.#options.ports.take(true), server: null, backends: [] };
      this.#forwards.set(key, forward);
      this.#save();
      return forward;
    });
    this.#taking = turn.catch(() => {});
    return turn;
  }

  async #bringUp(): Promise<void> {
    const wanted = new Map(
      this.#options.table.routes.map(({ spaceId, target, port, backends }) => [keyOf(spaceId, target, port), backends]),
    );
    await Promise.all([...this.#forwards].map(([key, forward]) => this.#lead(forward, wanted.get(key) ?? [])));
  }

  async #lead(forward: Forward, backends: LinkRoute['backends']): Promise<void> {
    forward.backends = backends.map(({ host, port }) => {
      const known = forward.backends.find((each) => each.host === host && each.port === port);
      return known ?? { host, port, connections: 0, turn: 0 };
    });
    if (backends.length === 0) {
      forward.server?.close();
      forward.server = null;
      return;
    }
    if (forward.server !== null) return;
    const server = createServer({ allowHalfOpen: true }, (socket) => void this.#carry(socket, forward));
    forward.server = server;
    await new Promise<void>((resolve) => {
      server.once('listening', resolve);
      server.once('error', (error) => {
        this.#options.logger.warn(
          { error, port: forward.port },
          'a link cannot be listened for; trying again when told',
        );
        if (forward.server === server) forward.server = null;
        resolve();
      });
      server.listen(forward.port, loopback);
    });
  }

  /** To the backend with the fewest connections; to the next one when it does not take it. */
  async #carry(from: Socket, forward: Forward): Promise<void> {
    this.#keep(from);
    const left = [...forward.backends].sort((a, b) => a.connections - b.connections || a.turn - b.turn);
    for (const backend of left) {
      const to = await this.#reach(backend);
      if (to === null) continue;
      backend.connections++;
      backend.turn = ++this.#turn;
      to.once('close', () => {
        backend.connections--;
        from.destroy();
      });
      from.once('close', () => to.destroy());
      if (from.destroyed) return void to.destroy();
      from.pipe(to);
      to.pipe(from);
      return;
    }
    from.resetAndDestroy();
  }

  #reach({ host, port }: Backend): Promise<Socket | null> {
    return new Promise((resolve) => {
      const socket = connect({ host, port, allowHalfOpen: true });
      this.#keep(socket);
      const timer = setTimeout(() => socket.destroy(), connectMs);
      socket.once('close', () => {
        clearTimeout(timer);
        resolve(null);
      });
      socket.once('connect', () => {
        clearTimeout(timer);
        resolve(socket);
      });
    });
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    // What broke is told to the other end by closing it.
    socket.on('error', () => {});
    socket.once('close', () => this.#sockets.delete(socket));
  }

  #save(): void {
    writeKept(this.#options.path, Object.fromEntries([...this.#forwards].map(([key, { port }]) => [key, port])));
  }
}

const keyOf = (spaceId: string, target: string, port: number): string => JSON.stringify([spaceId, target, port]);
