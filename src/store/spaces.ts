import { type Kysely, sql } from 'kysely';
import { isId, type SpaceName } from '../core/names.ts';
import type { SpaceStore } from '../core/spaces/space-store.ts';
import { isEmpty, toRow } from './columns.ts';
import type { Schema } from './schema.ts';

const columns = [
  'spaces.id',
  'spaces.name',
  'spaces.team_id as teamId',
  'spaces.pool_id as poolId',
  'spaces.description',
  'spaces.compliance',
  'spaces.created_at as createdAt',
  'spaces.updated_at as updatedAt',
] as const;

export function createSpaceStore(db: Kysely<Schema>): SpaceStore {
  return {
    async find(reference, teamId) {
      const query = db.selectFrom('spaces').select(columns);
      if (isId(reference)) {
        const byId = await query.where('id', '=', reference).executeTakeFirst();
        if (byId !== undefined) return byId;
      }
      const named = query.where('name', '=', reference as SpaceName);
      const mine = teamId === null ? named.where('team_id', 'is', null) : named.where('team_id', '=', teamId);
      return (await mine.executeTakeFirst()) ?? null;
    },
    async insert(space) {
      await db.insertInto('spaces').values(toRow(space)).execute();
    },
    async update(id, change) {
      if (isEmpty(change)) return;
      await db.updateTable('spaces').set(toRow(change)).where('id', '=', id).execute();
    },
    async remove(id) {
      await db
        .with('variables', (gone) =>
          gone.deleteFrom('config_vars').where('source', '=', 'space').where('owner_id', '=', id),
        )
        .deleteFrom('spaces')
        .where('id', '=', id)
        .execute();
    },
    list(teamIds) {
      const query = db
        .selectFrom('spaces')
        .select(columns)
        .select(
          sql<number>`(select count(*) from apps where apps.space_id = spaces.id and apps.deleted_at is null)`.as(
            'appCount',
          ),
        )
        .orderBy('spaces.name')
        .orderBy('spaces.id');
      const visible =
        teamIds === 'all'
          ? query
          : query.where(sql<boolean>`(spaces.team_id is null or spaces.team_id = any(${teamIds}::uuid[]))`);
      return visible.execute();
    },
  };
}
