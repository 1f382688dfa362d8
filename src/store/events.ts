import { type Kysely, sql } from 'kysely';
import type { EventStore } from '../core/events/event.ts';
import { toRow } from './columns.ts';
import { keyOf, limitOf, pageOf } from './pages.ts';
import type { Schema } from './schema.ts';

const columns = [
  'sequence',
  'id',
  'kind',
  'at',
  'actor_name as actorName',
  'actor_id as actorId',
  'team_id as teamId',
  'space_id as spaceId',
  'app_id as appId',
  'data',
] as const;

export function createEventStore(db: Kysely<Schema>): EventStore {
  const select = () => db.selectFrom('events').select(columns);
  return {
    async append(event) {
      await db.insertInto('events').values(toRow(event)).execute();
    },
    async list(filter, page) {
      const limit = limitOf(page);
      const key = keyOf(page, 'number');
      let query = select()
        .orderBy('sequence', 'desc')
        .limit(limit + 1);
      if (filter.appId !== undefined) query = query.where('app_id', '=', filter.appId);
      if (filter.spaceId !== undefined) query = query.where('space_id', '=', filter.spaceId);
      if (filter.actorName !== undefined) query = query.where('actor_name', '=', filter.actorName);
      if (filter.kinds !== undefined) query = query.where(sql<boolean>`kind = any(${filter.kinds}::text[])`);
      if (key !== null) query = query.where('sequence', '<', key[0]);
      return pageOf(await query.execute(), limit, (event) => [event.sequence]);
    },
    /** Ends before the first event below which another transaction may still commit one (see `events_settled` in the migrations). */
    async after(sequence, limit) {
      const { rows } = await sql<{ settled: number }>`select events_settled() as settled`.execute(db);
      return select()
        .where('sequence', '>', sequence)
        .where('sequence', '<=', rows[0]?.settled ?? 0)
        .orderBy('sequence')
        .limit(limit)
        .execute();
    },
    async removeBefore(at) {
      return Number((await db.deleteFrom('events').where('at', '<', at).executeTakeFirst()).numDeletedRows);
    },
  };
}
