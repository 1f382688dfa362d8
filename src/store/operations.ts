import { type Kysely, sql } from 'kysely';
import { idBounds, isId } from '../core/names.ts';
import type { Operation, OperationStatus, OperationStore } from '../core/operations/operation.ts';
import { toRow } from './columns.ts';
import type { Schema } from './schema.ts';

const columns = [
  'id',
  'kind',
  'app_id as appId',
  'subject_id as subjectId',
  'status',
  'cancel_requested as cancelRequested',
  'attempts',
  'error',
  'created_at as createdAt',
  'started_at as startedAt',
  'finished_at as finishedAt',
] as const;

/** Durable work. Leases go by the database's clock, so that replicas with wrong clocks still agree. */
export function createOperationStore(db: Kysely<Schema>): OperationStore {
  const select = () => db.selectFrom('operations').select(columns);
  return {
    async find(reference) {
      const bounds = idBounds(reference);
      if (bounds === null) return null;
      const [low, high] = bounds;
      return (await select().where('id', '>=', low).where('id', '<=', high).limit(1).executeTakeFirst()) ?? null;
    },
    async findBySubject(subjectId) {
      if (!isId(subjectId)) return null;
      const row = await select()
        .where('subject_id', '=', subjectId)
        .orderBy('created_at', 'desc')
        .limit(1)
        .executeTakeFirst();
      return row ?? null;
    },
    async insert(operation) {
      await db
        .insertInto('operations')
        .values({ ...toRow(operation), holder: null, lease_until: null })
        .execute();
    },
    async claim(kind, holder, leaseMs) {
      const { rows } = await sql<Operation>`
        update operations set status = 'running', holder = ${holder}, attempts = attempts + 1,
          lease_until = clock_timestamp() + ${leaseMs}::float8 * interval '1 millisecond',
          started_at = coalesce(started_at, clock_timestamp())
        where id = (
          select id from operations
          where kind = ${kind} and status in ('queued', 'running')
            and (status = 'queued' or lease_until is null or lease_until < clock_timestamp())
          order by created_at, id limit 1 for update skip locked)
        returning id, kind, app_id as "appId", subject_id as "subjectId", status, cancel_requested as "cancelRequested",
          attempts, error, created_at as "createdAt", started_at as "startedAt", finished_at as "finishedAt"`.execute(
        db,
      );
      return rows[0] ?? null;
    },
    async heartbeat(id, holder, leaseMs) {
      const { rows } = await sql<{ cancelRequested: boolean }>`
        update operations set lease_until = clock_timestamp() + ${leaseMs}::float8 * interval '1 millisecond'
        where id = ${id} and holder = ${holder} and status = 'running'
        returning cancel_requested as "cancelRequested"`.execute(db);
      const [row] = rows;
      return { held: row !== undefined, cancelRequested: row?.cancelRequested ?? false };
    },
    async finish(id, holder, status, error) {
      const { numAffectedRows = 0n } = await sql`
        update operations set status = ${status}, error = ${error}, finished_at = clock_timestamp(),
          started_at = coalesce(started_at, clock_timestamp()), holder = null, lease_until = null
        where id = ${id} and status in ('queued', 'running') and (
          holder = ${holder}::text
          or (${holder}::text is null and (lease_until is null or lease_until < clock_timestamp())))`.execute(db);
      return numAffectedRows > 0n;
    },
    async requestCancel(id) {
      if (!isId(id)) return null;
      const { rows } = await sql<{ status: OperationStatus }>`
        update operations set
          cancel_requested = cancel_requested or status in ('queued', 'running'),
          finished_at = case when status = 'queued' then clock_timestamp() else finished_at end,
          status = case when status = 'queued' then 'cancelled' else status end
        where id = ${id} returning status`.execute(db);
      return rows[0]?.status ?? null;
    },
    async begin(ids) {
      await db
        .updateTable('operations')
        .set({ status: 'running', started_at: sql<Date>`clock_timestamp()` })
        .where(sql<boolean>`id = any(${ids}::uuid[])`)
        .where('status', '=', 'queued')
        .execute();
    },
    open: (appId, kinds) =>
      select()
        .where('app_id', '=', appId)
        .where('status', 'in', ['queued', 'running'])
        .where(sql<boolean>`kind = any(${kinds}::text[])`)
        .orderBy('created_at')
        .orderBy('id')
        .execute(),
    openOf: (kinds) =>
      select()
        .where('status', 'in', ['queued', 'running'])
        .where(sql<boolean>`kind = any(${kinds}::text[])`)
        .orderBy('created_at')
        .orderBy('id')
        .execute(),
    async openApps() {
      const rows = await db
        .selectFrom('operations')
        .select('app_id as appId')
        .distinct()
        .where('status', 'in', ['queued', 'running'])
        .where('kind', 'not in', ['build', 'addon', 'node-move', 'rebalance'])
        .execute();
      return rows.flatMap(({ appId }) => appId ?? []);
    },
    async removeFinishedBefore(at) {
      const result = await db.deleteFrom('operations').where('finished_at', '<', at).executeTakeFirst();
      return Number(result.numDeletedRows);
    },
  };
}
