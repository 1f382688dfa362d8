import { type Kysely, sql } from 'kysely';
import type { Grant } from '../core/access/actor.ts';
import { isId } from '../core/names.ts';
import type { RoleStore } from '../core/roles/role-store.ts';
import { isEmpty, toRow } from './columns.ts';
import type { Schema } from './schema.ts';

const columns = ['id', 'name', 'context', 'description', 'permissions'] as const;

export function createRoleStore(db: Kysely<Schema>): RoleStore {
  const select = () => db.selectFrom('roles').select(columns);
  return {
    async find(reference) {
      if (isId(reference)) {
        const byId = await select().where('id', '=', reference).executeTakeFirst();
        if (byId !== undefined) return byId;
      }
      return (await select().where('name', '=', reference).executeTakeFirst()) ?? null;
    },
    async insert(role) {
      await db.insertInto('roles').values(toRow(role)).execute();
    },
    async update(id, change) {
      if (isEmpty(change)) return;
      await db.updateTable('roles').set(toRow(change)).where('id', '=', id).execute();
    },
    async remove(id) {
      await db.deleteFrom('roles').where('id', '=', id).execute();
    },
    list: () => select().orderBy('name').orderBy('id').execute(),
    async assign(assignment) {
      await db
        .insertInto('role_assignments')
        .values(toRow(assignment))
        .onConflict((known) => known.doNothing())
        .execute();
    },
    async dissociate(assignment) {
      await db
        .deleteFrom('role_assignments')
        .where('role_id', '=', assignment.roleId)
        .where('subject', '=', assignment.subject)
        .where('subject_id', '=', assignment.subjectId)
        .where('context_id', 'is not distinct from', assignment.contextId)
        .execute();
    },
    assignments: (roleId) =>
      db
        .selectFrom('role_assignments')
        .select(['role_id as roleId', 'subject', 'subject_id as subjectId', 'context_id as contextId'])
        .where('role_id', '=', roleId)
        .orderBy('subject')
        .orderBy('subject_id')
        .orderBy('context_id')
        .execute(),
    grantsOf: (subject, subjectId): Promise<readonly Grant[]> =>
      db
        .selectFrom('role_assignments')
        .innerJoin('roles', 'roles.id', 'role_assignments.role_id')
        .select([
          sql<string>`unnest(roles.permissions)`.as('permission'),
          'roles.context',
          'role_assignments.context_id as contextId',
        ])
        .where('role_assignments.subject', '=', subject)
        .where('role_assignments.subject_id', '=', subjectId)
        .execute(),
  };
}
