/** How the provider reaches the server that holds the add-ons' databases, and how their apps do. `src/main` makes one. */
import pg from 'pg';

export interface ServerAccess {
  /** Starts the server when it is ours and does not run; gives how to connect as who may make roles and databases. */
  administrator(): Promise<pg.ClientConfig>;
  /** Where apps find it. */
  addressForApps(): Promise<{ readonly host: string; readonly port: number }>;
  /** The identifier of the cluster that holds the platform's state: the add-ons' must be another. */
  platformCluster(): Promise<string | null>;
}

const CONNECT_MS = 10_000;
const STATEMENT_MS = 60_000;
const IDLE_MS = 5_000;

/** A few connections, made when needed and closed soon after. */
export class AddonServer {
  readonly #access: ServerAccess;
  #pool: pg.Pool | null = null;
  #checked = false;

  constructor(access: ServerAccess) {
    this.#access = access;
  }

  /** Runs work on one session. Throws when the server is the platform's own. */
  async session<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    const administrator = await this.#access.administrator();
    this.#pool ??= this.#open(administrator);
    const client = await this.#pool.connect();
    let broken: Error | boolean = true;
    try {
      if (!this.#checked) await this.#refusePlatform(client);
      const result = await work(client);
      broken = false;
      return result;
    } finally {
      // After a failure the session may hold a lock: it is closed, which gives it back.
      client.release(broken);
    }
  }

  addressForApps(): Promise<{ readonly host: string; readonly port: number }> {
    return this.#access.addressForApps();
  }

  async close(): Promise<void> {
    await this.#pool?.end();
  }

  #open(config: pg.ClientConfig): pg.Pool {
    const pool = new pg.Pool({
      ...config,
      max: 2,
      idleTimeoutMillis: IDLE_MS,
      connectionTimeoutMillis: CONNECT_MS,
      statement_timeout: STATEMENT_MS,
      query_timeout: STATEMENT_MS + 5_000,
      application_name: 'berth add-ons',
      allowExitOnIdle: true,
    });
    // An idle session that breaks is replaced by the next one.
    pool.on('error', () => {});
    return pool;
  }

  async #refusePlatform(client: pg.PoolClient): Promise<void> {
    const platform = await this.#access.platformCluster();
    const { rows } = await client.query<{ id: string }>(
      'select system_identifier::text as id from pg_control_system()',
    );
    if (platform !== null && rows[0]?.id === platform)
      throw new Error(
        'BERTH_POSTGRES_ADDON_URL names the server that holds the state of the platform; give another one',
      );
    this.#checked = true;
  }
}
