import { type Kysely, sql } from 'kysely';
import type { CollaboratorStore } from '../core/collaborators/collaborator.ts';
import { toRow } from './columns.ts';
import type { Schema } from './schema.ts';
import { statement } from './statements.ts';

const columns = [
  'collaborators.id',
  'collaborators.app_id as appId',
  'collaborators.user_id as userId',
  'collaborators.inviter_id as inviterId',
  'collaborators.inviter_name as inviterName',
  'collaborators.inviter_email as inviterEmail',
  'collaborators.created_at as createdAt',
  'collaborators.accepted_at as acceptedAt',
] as const;

/** Asked with every sign-in. */
const appIds = statement((db, userId: string) =>
  db.selectFrom('collaborators').select('app_id as appId').where('user_id', '=', userId).orderBy('app_id'),
);

export function createCollaboratorStore(db: Kysely<Schema>): CollaboratorStore {
  return {
    list: (appId) =>
      db
        .selectFrom('collaborators')
        .leftJoin('users', 'users.id', 'collaborators.user_id')
        .select([
          ...columns,
          'users.username',
          sql<string>`coalesce(users.email, collaborators.email)`.as('email'),
          sql<'pending' | 'accepted'>`case when collaborators.user_id is null then 'pending' else 'accepted' end`.as(
            'status',
          ),
        ])
        .where('collaborators.app_id', '=', appId)
        .orderBy('collaborators.created_at')
        .orderBy('collaborators.id')
        .execute(),
    async lockByToken(tokenHash) {
      const row = await db
        .selectFrom('collaborators')
        .select([...columns, 'collaborators.email', 'collaborators.token_hash as tokenHash'])
        .where('token_hash', '=', tokenHash)
        .forUpdate()
        .executeTakeFirst();
      return row ?? null;
    },
    async insert(collaborator) {
      await db.insertInto('collaborators').values(toRow(collaborator)).execute();
    },
    async accept(id, userId, at) {
      await db
        .updateTable('collaborators')
        .set({ user_id: userId, accepted_at: at, token_hash: null })
        .where('id', '=', id)
        .execute();
    },
    async remove(id) {
      await db.deleteFrom('collaborators').where('id', '=', id).execute();
    },
    async removeMembers(appId, teamId) {
      await db
        .deleteFrom('collaborators')
        .where('app_id', '=', appId)
        .where('user_id', 'in', (members) =>
          members.selectFrom('memberships').select('user_id').where('team_id', '=', teamId),
        )
        .execute();
    },
    async appIdsOf(userId) {
      return (await appIds(db, userId)).map((row) => row.appId);
    },
  };
}
