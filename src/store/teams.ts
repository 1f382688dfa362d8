import { type Kysely, sql } from 'kysely';
import { isId, type TeamName } from '../core/names.ts';
import type { TeamStore } from '../core/teams/team-store.ts';
import { isEmpty, toRow } from './columns.ts';
import type { Schema } from './schema.ts';
import { userColumns } from './users.ts';

const columns = ['id', 'name', 'description', 'created_at as createdAt', 'updated_at as updatedAt'] as const;

export function createTeamStore(db: Kysely<Schema>): TeamStore {
  return {
    async find(reference) {
      const query = db.selectFrom('teams').select(columns);
      if (isId(reference)) {
        const byId = await query.where('id', '=', reference).executeTakeFirst();
        if (byId !== undefined) return byId;
      }
      return (await query.where('name', '=', reference as TeamName).executeTakeFirst()) ?? null;
    },
    async insert(team) {
      await db.insertInto('teams').values(toRow(team)).execute();
    },
    async update(id, change) {
      if (isEmpty(change)) return;
      await db.updateTable('teams').set(toRow(change)).where('id', '=', id).execute();
    },
    async remove(id) {
      // Only its own spaces go with it; the foreign key of apps refuses a team that still has some.
      await db
        .with('variables', (gone) =>
          gone
            .deleteFrom('config_vars')
            .where('source', '=', 'space')
            .where('owner_id', 'in', (own) => own.selectFrom('spaces').select('id').where('team_id', '=', id)),
        )
        .with('assignments', (gone) => gone.deleteFrom('role_assignments').where('context_id', '=', id))
        .with('limits', (gone) => gone.deleteFrom('quotas').where('subject', '=', 'team').where('subject_id', '=', id))
        .deleteFrom('teams')
        .where('id', '=', id)
        .execute();
    },
    list(ids) {
      const query = db.selectFrom('teams').select(columns).orderBy('name').orderBy('id');
      return (ids === 'all' ? query : query.where(sql<boolean>`id = any(${ids}::uuid[])`)).execute();
    },
    async addMember(membership) {
      await db
        .insertInto('memberships')
        .values(toRow(membership))
        .onConflict((known) => known.doNothing())
        .execute();
    },
    async removeMember(teamId, userId) {
      await db.deleteFrom('memberships').where('team_id', '=', teamId).where('user_id', '=', userId).execute();
    },
    members: (teamId) =>
      db
        .selectFrom('memberships')
        .innerJoin('users', 'users.id', 'memberships.user_id')
        .select(userColumns)
        .where('memberships.team_id', '=', teamId)
        .orderBy('users.username')
        .execute(),
    async owners(teamIds) {
      const rows = await db
        .selectFrom('memberships')
        .innerJoin('users', 'users.id', 'memberships.user_id')
        .innerJoin('teams', 'teams.id', 'memberships.team_id')
        .distinctOn('memberships.team_id')
        .select(['memberships.team_id as teamId', ...userColumns])
        .where(sql<boolean>`memberships.team_id = any(${teamIds}::uuid[])`)
        .orderBy('memberships.team_id')
        .orderBy(sql`lower(users.username) = lower(teams.name)`, 'desc')
        .orderBy('memberships.created_at')
        .orderBy('users.id')
        .execute();
      return new Map(rows.map(({ teamId, ...user }) => [teamId as string, user]));
    },
    async teamIdsOf(userId) {
      const rows = await db
        .selectFrom('memberships')
        .select('team_id as teamId')
        .where('user_id', '=', userId)
        .orderBy('team_id')
        .execute();
      return rows.map((row) => row.teamId);
    },
  };
}
