/**
 * Connections to PostgreSQL: the pool, how values are parsed, and the query builder over them. Statements that come again are prepared
 * once a connection; their texts are few, because values are always parameters.
 */
import { Kysely, PostgresDialect, type PostgresPool, type PostgresPoolClient } from 'kysely';
import pg from 'pg';
import { translate } from './failures.ts';
import type { Schema } from './schema.ts';
import { valueTypes } from './values.ts';

/** Either an address, or a folder of a socket with the rest. */
export interface ConnectionOptions {
  /** `postgres://user:password@host:port/name?sslmode=…`. */
  readonly connectionString?: string;
  /** A host name, or the folder of a unix socket. */
  readonly host?: string;
  readonly port?: number;
  readonly user?: string;
  readonly password?: string;
  readonly database?: string;
}

const CONNECT_TIMEOUT_MS = 5_000;
const STATEMENT_TIMEOUT_MS = 30_000;
/** Above it a statement goes unnamed: a bound on what each connection keeps prepared. */
const MAX_PREPARED = 400;

/** What a client needs to connect; times out rather than hang. */
export function clientConfig(options: ConnectionOptions): pg.ClientConfig {
  const { connectionString, ...parts } = options;
  return {
    ...(connectionString === undefined ? parts : { connectionString }),
    application_name: 'berth',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    query_timeout: STATEMENT_TIMEOUT_MS + 5_000,
    idle_in_transaction_session_timeout: 2 * STATEMENT_TIMEOUT_MS,
    keepAlive: true,
    types: valueTypes,
  };
}

/** A pool of at most `size` connections; an idle one that breaks is reported to `onError` and replaced when next needed. */
export function openPool(options: ConnectionOptions, size: number, onError: (error: Error) => void): pg.Pool {
  const pool = new pg.Pool({ ...clientConfig(options), max: size, idleTimeoutMillis: 30_000 });
  pool.on('error', onError);
  // One that breaks between the statements of a transaction says so to nobody else; its next statement fails.
  pool.on('connect', (client) => client.on('error', () => {}));
  return pool;
}

/** The typed query builder over a pool: prepared statements by text, errors in the core's words. */
export function queriesOver(pool: pg.Pool): Kysely<Schema> {
  const prepared = new Map<string, string>();
  const nameOf = (text: string): string | undefined => {
    let name = prepared.get(text);
    if (name === undefined && prepared.size < MAX_PREPARED) {
      name = `q${prepared.size}`;
      prepared.set(text, name);
    }
    return name;
  };
  const wrapped = new WeakMap<pg.PoolClient, PostgresPoolClient>();
  const wrap = (client: pg.PoolClient): PostgresPoolClient => {
    let known = wrapped.get(client);
    if (known === undefined) {
      const query = async (text: string, values: readonly unknown[]): Promise<pg.QueryResult> => {
        try {
          // BEGIN, COMMIT and the like have no values and go unprepared.
          if (values.length === 0) return await client.query(text);
          const name = nameOf(text);
          return await client.query({ ...(name === undefined ? {} : { name }), text, values: values as unknown[] });
        } catch (error) {
          throw translate(error);
        }
      };
      // Cursors, which the builder's type also knows, are not used.
      known = { query: query as unknown as PostgresPoolClient['query'], release: (destroy) => client.release(destroy) };
      wrapped.set(client, known);
    }
    return known;
  };
  const source: PostgresPool = {
    options: {},
    connect: async () => {
      try {
        return wrap(await pool.connect());
      } catch (error) {
        throw translate(error);
      }
    },
    end: () => pool.end(),
  };
  return new Kysely<Schema>({ dialect: new PostgresDialect({ pool: source }) });
}
