import type { Kysely } from 'kysely';
import { isId } from '../core/names.ts';
import type { SizeStore } from '../core/sizes/size.ts';
import { toRow } from './columns.ts';
import type { Schema } from './schema.ts';

const columns = [
  'id',
  'name',
  'description',
  'memory_bytes as memoryBytes',
  'cpu_shares as cpuShares',
  'pids',
  'is_default as isDefault',
  'deprecated',
  'price_cents as priceCents',
] as const;

export function createSizeStore(db: Kysely<Schema>): SizeStore {
  const select = () => db.selectFrom('sizes').select(columns);
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
    async insert(size) {
      await db.insertInto('sizes').values(toRow(size)).execute();
    },
    list: () => select().orderBy('memory_bytes').orderBy('name').execute(),
  };
}
