import type { Kysely } from 'kysely';
import { isId } from '../core/names.ts';
import type { TokenStore } from '../core/tokens/token-store.ts';
import { toRow } from './columns.ts';
import type { Schema } from './schema.ts';
import { statement } from './statements.ts';

const columns = [
  'id',
  'kind',
  'user_id as userId',
  'team_id as teamId',
  'name',
  'hash',
  'hint',
  'created_at as createdAt',
  'expires_at as expiresAt',
  'last_used_at as lastUsedAt',
] as const;

const byHash = statement((db, hash: string) => db.selectFrom('tokens').select(columns).where('hash', '=', hash));

export function createTokenStore(db: Kysely<Schema>): TokenStore {
  const select = () => db.selectFrom('tokens').select(columns);
  return {
    async findByHash(hash) {
      return (await byHash(db, hash))[0] ?? null;
    },
    async find(id) {
      if (!isId(id)) return null;
      return (await select().where('id', '=', id).executeTakeFirst()) ?? null;
    },
    async insert(token) {
      await db.insertInto('tokens').values(toRow(token)).execute();
    },
    async touch(id, lastUsedAt) {
      await db.updateTable('tokens').set({ last_used_at: lastUsedAt }).where('id', '=', id).execute();
    },
    async remove(id) {
      await db
        .with('assignments', (gone) =>
          gone.deleteFrom('role_assignments').where('subject', '=', 'token').where('subject_id', '=', id),
        )
        .deleteFrom('tokens')
        .where('id', '=', id)
        .execute();
    },
    listOfUser: (userId) => select().where('user_id', '=', userId).orderBy('created_at').orderBy('id').execute(),
    listOfTeam: (teamId) => select().where('team_id', '=', teamId).orderBy('created_at').orderBy('id').execute(),
    async removeSessions(userId, keep) {
      const sessions = db.deleteFrom('tokens').where('user_id', '=', userId).where('kind', '=', 'session');
      const result = await (keep === null ? sessions : sessions.where('id', '!=', keep)).executeTakeFirst();
      return Number(result.numDeletedRows);
    },
    async removeExpired(now) {
      const result = await db.deleteFrom('tokens').where('expires_at', '<=', now).executeTakeFirst();
      return Number(result.numDeletedRows);
    },
  };
}
