/** Keeps the server of one cluster running: adopts it, starts it, waits until it lets us in, ends it. */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import type { Logger } from '../../lib/logger.ts';
import type { Account } from './account.ts';
import type { Binaries } from './binaries.ts';
import { SUPERUSER } from './cluster.ts';
import type { Folders } from './folders.ts';
import { clearForeignPid, type Launch, launch, runningPid, stopServer } from './postmaster.ts';
import { PORT, serverArguments } from './settings.ts';

/** How to connect, for `openDatabase`. */
export interface EmbeddedConnection {
  /** The socket's folder. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

export interface EmbeddedPostgres {
  readonly socketFolder: string;
  readonly database: string;
  readonly user: string;
  readonly connection: EmbeddedConnection;
  readonly version: string;
  /** Its main process, or null when it does not run. */
  pid(): Promise<number | null>;
  /** Whether its main process runs; says nothing of whether it accepts connections yet. */
  isAlive(): Promise<boolean>;
  /** Resolves when the server accepts connections; starts it again when it died. Throws when it does not come up. */
  ensure(): Promise<void>;
  /** Ensures again and again; failures are logged. Returns the way to end it. */
  watch(everyMs?: number): () => void;
  /** Fast shutdown; resolves when the server is gone. No `ensure` brings it back. */
  stop(): Promise<void>;
}

const DATABASE = 'berth';
const START_MS = 30_000;
const POLL_MS = 10;
const RETRY_MS = 100;
const WATCH_MS = 500;

export interface ServerParts {
  readonly folders: Folders;
  readonly binaries: Binaries;
  readonly account: Account | null;
  readonly password: string;
  readonly logger: Logger;
  readonly settings: Readonly<Record<string, string>>;
}

/** The socket is named after the port, also where nothing listens on it. */
const portOf = (settings: Readonly<Record<string, string>>): number => Number(settings.port ?? PORT);

/** Made by `startEmbeddedPostgres`, which sees to the cluster first. */
export class Server implements EmbeddedPostgres {
  readonly socketFolder: string;
  readonly database = DATABASE;
  readonly user = SUPERUSER;
  readonly connection: EmbeddedConnection;
  readonly version: string;
  readonly #parts: ServerParts;
  #ensuring: Promise<void> | null = null;
  #stopped = false;
  /** The server that was last seen to accept connections. */
  #readyPid: number | null = null;

  constructor(parts: ServerParts) {
    this.#parts = parts;
    this.socketFolder = parts.folders.socket;
    this.version = parts.binaries.version;
    this.connection = {
      host: parts.folders.socket,
      port: portOf(parts.settings),
      user: SUPERUSER,
      password: parts.password,
      database: DATABASE,
    };
  }

  pid(): Promise<number | null> {
    return runningPid(this.#parts.folders.cluster);
  }

  async isAlive(): Promise<boolean> {
    return (await this.pid()) !== null;
  }

  ensure(): Promise<void> {
    this.#ensuring ??= this.#bringUp().finally(() => {
      this.#ensuring = null;
    });
    return this.#ensuring;
  }

  watch(everyMs = WATCH_MS): () => void {
    const { logger } = this.#parts;
    let failing = false;
    const timer = setInterval(() => {
      this.ensure().then(
        () => {
          failing = false;
        },
        (error: unknown) => {
          if (!failing && !this.#stopped) logger.error({ err: error }, 'the database does not come up');
          failing = true;
        },
      );
    }, everyMs);
    return () => clearInterval(timer);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#ensuring?.catch(() => {});
    await stopServer(this.#parts.folders.cluster);
  }

  async #bringUp(): Promise<void> {
    const { folders, logger } = this.#parts;
    const deadline = performance.now() + START_MS;
    let running = await this.pid();
    if (running !== null && running === this.#readyPid) return;
    const adopted = running !== null;
    let launched: Launch | null = null;
    let reason = '';
    while (!this.#stopped && performance.now() < deadline) {
      if (running === null && launched === null) {
        await clearForeignPid(folders.cluster, folders.socket, this.connection.port);
        launched = await this.#launch();
      }
      const outcome = await this.#tryConnect();
      if (outcome === null) {
        this.#readyPid = await this.pid();
        logger.info({ pid: this.#readyPid, version: this.version, adopted }, 'the database is ready');
        return;
      }
      const end = await Promise.race([delay(POLL_MS, null), ...(launched === null ? [] : [launched.ended])]);
      running = await this.pid();
      if (end !== null) {
        // It may have met the rest of a server that was just killed: that goes by itself.
        reason = end;
        launched = null;
        await delay(RETRY_MS);
        running = await this.pid();
      } else if (running === null && launched === null) {
        reason = outcome;
      } else {
        reason ||= outcome;
      }
    }
    throw new Error(this.#stopped ? 'the database was stopped' : `the database did not come up: ${reason}`);
  }

  #launch(): Promise<Launch> {
    const { binaries, folders, account, settings } = this.#parts;
    const argv = [
      join(binaries.folder, 'postgres'),
      ...serverArguments(binaries.major, folders.cluster, folders.socket, settings),
    ];
    return launch(argv, account, folders.log);
  }

  /** Null when the platform's database is there and lets us in, else why not. */
  async #tryConnect(): Promise<string | null> {
    const client = new pg.Client({ ...this.connection, connectionTimeoutMillis: 5_000 });
    client.on('error', () => {});
    try {
      await client.connect();
      return null;
    } catch (error) {
      const { code, message } = error as Error & { code?: string };
      return code === '3D000' ? await this.#createDatabase() : message;
    } finally {
      await client.end().catch(() => {});
    }
  }

  async #createDatabase(): Promise<string | null> {
    const client = new pg.Client({ ...this.connection, database: 'postgres', connectionTimeoutMillis: 5_000 });
    client.on('error', () => {});
    try {
      await client.connect();
      await client.query(`create database ${DATABASE}`);
      return null;
    } catch (error) {
      const { code, message } = error as Error & { code?: string };
      // Another start made it meanwhile.
      return code === '42P04' || code === '23505' ? null : message;
    } finally {
      await client.end().catch(() => {});
    }
  }
}
