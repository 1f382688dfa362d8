import { type Kysely, sql } from 'kysely';
import { isId } from '../core/names.ts';
import type { UserStore } from '../core/users/user-store.ts';
import { isEmpty, toRow } from './columns.ts';
import type { Schema } from './schema.ts';

/** What everyone may see of a user; the password's hash is read only by `find`. */
export const userColumns = [
  'users.id',
  'users.username',
  'users.email',
  'users.name',
  'users.disabled',
  'users.created_at as createdAt',
  'users.updated_at as updatedAt',
  'users.last_login_at as lastLoginAt',
] as const;

export function createUserStore(db: Kysely<Schema>): UserStore {
  return {
    async find(reference) {
      const query = db.selectFrom('users').select([...userColumns, 'users.password_hash as passwordHash']);
      if (isId(reference)) {
        const byId = await query.where('id', '=', reference).executeTakeFirst();
        if (byId !== undefined) return byId;
      }
      const lower = reference.toLowerCase();
      // A username may look like another user's email: the email wins.
      const user = await query
        .where((where) =>
          where.or([where('email', '=', lower), where((by) => by.fn('lower', ['username']), '=', lower)]),
        )
        .orderBy((by) => by('email', '=', lower), 'desc')
        .limit(1)
        .executeTakeFirst();
      return user ?? null;
    },
    async named(ids) {
      if (ids.length === 0) return [];
      return db.selectFrom('users').select(userColumns).where(sql<boolean>`id = any(${ids}::uuid[])`).execute();
    },
    async workingOn(usernames, teamIds, appIds) {
      if (usernames.length === 0) return [];
      const names = usernames.map((username) => username.toLowerCase());
      return db
        .selectFrom('users')
        .select(userColumns)
        .where(sql<boolean>`lower(username) = any(${names}::text[])`)
        .where(
          sql<boolean>`(
            exists (select 1 from memberships m where m.user_id = users.id and m.team_id = any(${teamIds}::uuid[]))
            or exists (select 1 from collaborators c where c.user_id = users.id and c.app_id = any(${appIds}::uuid[]))
          )`,
        )
        .execute();
    },
    async insert(user) {
      await db.insertInto('users').values(toRow(user)).execute();
    },
    async update(id, change) {
      if (isEmpty(change)) return;
      await db.updateTable('users').set(toRow(change)).where('id', '=', id).execute();
    },
    async remove(id) {
      await db
        .with('assignments', (gone) =>
          gone.deleteFrom('role_assignments').where('subject', '=', 'user').where('subject_id', '=', id),
        )
        .with('limits', (gone) => gone.deleteFrom('quotas').where('subject', '=', 'user').where('subject_id', '=', id))
        .deleteFrom('users')
        .where('id', '=', id)
        .execute();
    },
    list: () => db.selectFrom('users').select(userColumns).orderBy('username').orderBy('id').execute(),
    async count() {
      const row = await db
        .selectFrom('users')
        .select((count) => count.fn.countAll<number>().as('users'))
        .executeTakeFirstOrThrow();
      return row.users;
    },
  };
}
