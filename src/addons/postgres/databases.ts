/**
 * The statements: a role and a database of the same name, closed to everybody else. Each function may be said again after it was cut off.
 * Names are made by `databaseName` and verifiers by `scramVerifier`: neither holds anything that needs escaping beyond quotes.
 */
import pg from 'pg';

type Session = Pick<pg.PoolClient, 'query'>;

const quoted = (name: string): string => pg.escapeIdentifier(name);

/** Makes what is missing, and sets password and limit as said. */
export async function createDatabase(
  session: Session,
  name: string,
  verifier: string,
  connections: number | null,
): Promise<void> {
  await alone(session, name, async () => {
    const role = quoted(name);
    if (!(await exists(session, 'select 1 from pg_roles where rolname = $1', name)))
      await session.query(`create role ${role} nologin`);
    await session.query(
      `alter role ${role} login connection limit ${connections ?? -1} password ${pg.escapeLiteral(verifier)}`,
    );
    // Whoever is no superuser gives a database only to a role that it is a member of.
    if (!(await exists(session, 'select 1 from pg_roles where rolsuper and rolname = current_user')))
      await session.query(`grant ${role} to current_user`);
    if (!(await exists(session, 'select 1 from pg_database where datname = $1', name)))
      await session.query(`create database ${role} owner ${role} template template0 allow_connections false`);
    // Closed before it is opened: there is no moment at which another role could come in.
    await session.query(`revoke all on database ${role} from public`);
    await session.query(`alter database ${role} allow_connections true`);
  });
}

/** Ends the sessions and drops both; what is gone already is no error. */
export async function dropDatabase(session: Session, name: string): Promise<void> {
  await alone(session, name, async () => {
    const role = quoted(name);
    if (await exists(session, 'select 1 from pg_roles where rolname = $1', name))
      await session.query(`alter role ${role} nologin`);
    await session.query(`drop database if exists ${role} with (force)`);
    await session.query(`drop role if exists ${role}`);
  });
}

export async function limitConnections(session: Session, name: string, connections: number | null): Promise<void> {
  await session.query(`alter role ${quoted(name)} connection limit ${connections ?? -1}`);
}

/** Null when there is no such database. */
export async function measureDatabase(
  session: Session,
  name: string,
): Promise<{ readonly storageBytes: number; readonly restricted: boolean } | null> {
  const { rows } = await session.query<{ bytes: string; restricted: boolean }>(
    `select pg_database_size(d.oid)::text as bytes, exists (
       select 1 from pg_db_role_setting s join pg_roles r on r.oid = s.setrole
       where r.rolname = $1 and s.setdatabase = 0 and 'default_transaction_read_only=on' = any (s.setconfig)
     ) as restricted
     from pg_database d where d.datname = $1`,
    [name],
  );
  const [row] = rows;
  return row === undefined ? null : { storageBytes: Number(row.bytes), restricted: row.restricted };
}

/**
 * Lets the role only read, or write again. Its sessions are ended, since a session keeps what it began with; a client that reconnects goes
 * on. The owner can still say `set transaction read write` to delete what is too much.
 */
export async function restrictDatabase(session: Session, name: string, restricted: boolean): Promise<void> {
  const change = restricted ? 'set default_transaction_read_only = on' : 'reset default_transaction_read_only';
  await session.query(`alter role ${quoted(name)} ${change}`);
  await session.query('select pg_terminate_backend(pid) from pg_stat_activity where usename = $1', [name]);
}

/** One at a time for each name, over all servers of the platform. The lock is given back even when the work fails: its session ends. */
async function alone(session: Session, name: string, work: () => Promise<void>): Promise<void> {
  await session.query('select pg_advisory_lock(hashtextextended($1, 7700))', [name]);
  await work();
  await session.query('select pg_advisory_unlock(hashtextextended($1, 7700))', [name]);
}

async function exists(session: Session, query: string, ...values: readonly string[]): Promise<boolean> {
  return (await session.query(query, [...values])).rows.length > 0;
}
