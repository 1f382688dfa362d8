import type { Kysely } from 'kysely';
import { isId } from '../core/names.ts';
import type { PoolStore } from '../core/pools/pool.ts';
import { isEmpty, toRow } from './columns.ts';
import type { Schema } from './schema.ts';

const columns = ['id', 'name', 'engine', 'is_default as isDefault', 'created_at as createdAt'] as const;

export function createPoolStore(db: Kysely<Schema>): PoolStore {
  const select = () => db.selectFrom('pools').select(columns);
  return {
    async find(reference) {
      if (isId(reference)) {
        const byId = await select().where('id', '=', reference).executeTakeFirst();
        if (byId !== undefined) return byId;
      }
      return (await select().where('name', '=', reference).executeTakeFirst()) ?? null;
    },
    async findDefault() {
      return (await select().where('is_default', '=', true).executeTakeFirst()) ?? null;
    },
    async insert(pool) {
      await db.insertInto('pools').values(toRow(pool)).execute();
    },
    async update(id, change) {
      if (isEmpty(change)) return;
      await db.updateTable('pools').set(toRow(change)).where('id', '=', id).execute();
    },
    async remove(id) {
      await db.deleteFrom('pools').where('id', '=', id).execute();
    },
    list: () => select().orderBy('name').execute(),
  };
}
