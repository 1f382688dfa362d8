import { type Kysely, type RawBuilder, sql } from 'kysely';
import type { EventFilter, EventStore } from '../core/events/event.ts';
import type { EventReach, EventSelection } from '../core/events/event-selection.ts';
import { idBounds } from '../core/names.ts';
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
        .where(matches(filter))
        .orderBy('sequence', 'desc')
        .limit(limit + 1);
      if (key !== null) query = query.where('sequence', '<', key[0]);
      return pageOf(await query.execute(), limit, (event) => [event.sequence]);
    },
    async slice(filter, { offset, limit }) {
      const wanted = matches(filter);
      const [items, count] = await Promise.all([
        select().where(wanted).orderBy('sequence', 'desc').offset(offset).limit(limitOf({ limit })).execute(),
        db
          .selectFrom('events')
          .select((rows) => rows.fn.countAll<number>().as('events'))
          .where(wanted)
          .executeTakeFirstOrThrow(),
      ]);
      return { items, total: Number(count.events) };
    },
    async find(reference, filter) {
      const bounds = idBounds(reference);
      if (bounds === null) return null;
      const query = select().where('id', '>=', bounds[0]).where('id', '<=', bounds[1]).where(matches(filter));
      return (await query.limit(1).executeTakeFirst()) ?? null;
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

type Condition = RawBuilder<boolean>;

function matches({ appId, spaceId, actorName, kinds, selections, since, reach }: EventFilter): Condition {
  const conditions: Condition[] = [
    ...(appId === undefined ? [] : [sql<boolean>`app_id = ${appId}`]),
    ...(spaceId === undefined ? [] : [sql<boolean>`space_id = ${spaceId}`]),
    ...(actorName === undefined ? [] : [sql<boolean>`actor_name = ${actorName}`]),
    ...(kinds === undefined ? [] : [sql<boolean>`kind = any(${kinds}::text[])`]),
    ...(selections === undefined ? [] : [sql<boolean>`(${either(selections.map(chosen))})`]),
    ...(since === undefined ? [] : [sql<boolean>`at >= ${since}`]),
    ...(reach === undefined ? [] : [within(reach)]),
  ];
  return conditions.length === 0 ? sql<boolean>`true` : sql<boolean>`${sql.join(conditions, sql` and `)}`;
}

const either = (conditions: readonly Condition[]): Condition =>
  conditions.length === 0 ? sql<boolean>`false` : sql<boolean>`${sql.join(conditions, sql` or `)}`;

const chosen = ({ kinds, data, has }: EventSelection): Condition =>
  sql<boolean>`(kind = any(${kinds}::text[])
    and (${data === undefined ? null : JSON.stringify(data)}::jsonb is null or data @> ${JSON.stringify(data ?? {})}::jsonb)
    and (${has ?? null}::text is null or jsonb_exists(data, ${has ?? ''})))`;

/** An app is with the team that has it now; a deleted one stays with the team that had it last. Arrays, so that each half has its index. */
const within = ({ teamIds, appIds, userId }: EventReach): Condition => sql<boolean>`(
  app_id = any(array(
    select id from apps where deleted_at is null and (team_id = any(${teamIds}::uuid[]) or id = any(${appIds}::uuid[]))
    union all
    select gone.app_id from events gone where gone.kind = 'AppDeleted' and gone.team_id = any(${teamIds}::uuid[])
  ))
  or (app_id is null and actor_id = ${userId})
)`;
