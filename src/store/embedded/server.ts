/**
 * A real PostgreSQL server beside the platform, when no other database was given. It outlives a crash of the platform and is adopted by
 * the next start; a crash of its own is mended by `ensure`, which `watch` calls.
 */
import { isAbsolute, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import type { Logger } from '../../lib/logger.ts';
import { loadOrCreateKey } from '../../lib/secret-box.ts';
import { type Account, serverAccount } from './account.ts';
import { type Binaries, findBinaries, reachableBinaries } from './binaries.ts';
import { clusterVersion, initCluster, SUPERUSER } from './cluster.ts';
import { type Folders, prepareFolders } from './folders.ts';
import { clearForeignPid, type Launch, launch, runningPid, stopServer } from './postmaster.ts';
import { PORT, serverArguments } from './settings.ts';

export interface EmbeddedOptions {
  /** The platform's data folder, absolute; the server's files go to `postgres` in it. */
  readonly dataFolder: string;
  /** Only the programs in this folder; else they are looked for. */
  readonly binFolder?: string;
  /** The PATH to look for programs in, beside the usual places. */
  readonly path?: string;
  readonly logger: Logger;
  /** Settings of the server that win over ours. */
  readonly settings?: Readonly<Record<string, string>>;
  /** False: making the cluster does not wait for the disk. Default true. */
  readonly durable?: boolean;
}

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
  /** Resolves when the server accepts connections; starts it again when it died. Throws when it does not come up. */
  ensure(): Promise<void>;
  /** Ensures again and again; resolves the promise of nobody and throws at nobody: failures are logged. Returns the way to end it. */
  watch(everyMs?: number): () => void;
  /** Fast shutdown; resolves when the server is gone. No `ensure` brings it back. */
  stop(): Promise<void>;
}

const DATABASE = 'berth';
const START_MS = 30_000;
const POLL_MS = 10;
const RETRY_MS = 100;
const WATCH_MS = 500;

/** Makes the cluster at the first start, adopts a server that still runs, else starts it. Resolves when it accepts connections. */
export async function startEmbeddedPostgres(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  if (!isAbsolute(options.dataFolder)) throw new TypeError('dataFolder must be absolute');
  const account = await serverAccount();
  const folders = await prepareFolders(options.dataFolder, account, options.logger);
  const password = (await loadOrCreateKey(folders.password)).toString('hex');
  const major = await clusterVersion(folders.cluster);
  const found = await findBinaries({
    ...(options.binFolder === undefined ? {} : { binFolder: options.binFolder }),
    ...(options.path === undefined ? {} : { path: options.path }),
    ...(major === null ? {} : { major }),
  });
  const binaries = await reachableBinaries(found, account, folders.base);
  if (major === null) {
    await initCluster({ folders, binaries, account, password, durable: options.durable ?? true });
    options.logger.info({ version: binaries.version, user: account?.name }, 'a database cluster was made');
  }
  const server = new Server({
    folders,
    binaries,
    account,
    password,
    logger: options.logger,
    settings: options.settings ?? {},
  });
  await server.ensure();
  return server;
}

interface ServerParts {
  readonly folders: Folders;
  readonly binaries: Binaries;
  readonly account: Account | null;
  readonly password: string;
  readonly logger: Logger;
  readonly settings: Readonly<Record<string, string>>;
}

class Server implements EmbeddedPostgres {
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
      port: PORT,
      user: SUPERUSER,
      password: parts.password,
      database: DATABASE,
    };
  }

  pid(): Promise<number | null> {
    return runningPid(this.#parts.folders.cluster);
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
        await clearForeignPid(folders.cluster, folders.socket, PORT);
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
