import type { Kysely } from 'kysely';
import type { DomainStore } from '../core/domains/domain.ts';
import { type Hostname, isId } from '../core/names.ts';
import { toRow } from './columns.ts';
import type { Schema } from './schema.ts';

const columns = [
  'id',
  'app_id as appId',
  'hostname',
  'path_prefix as pathPrefix',
  'replace_prefix as replacePrefix',
  'process_type as processType',
  'port',
  'created_at as createdAt',
] as const;

export function createDomainStore(db: Kysely<Schema>): DomainStore {
  const select = () => db.selectFrom('domains').select(columns).orderBy('hostname').orderBy('path_prefix');
  return {
    list: (appId) => select().where('app_id', '=', appId).execute(),
    all: () => select().execute(),
    /** By id, or by host name: of several paths the shortest. */
    async find(reference) {
      if (isId(reference)) {
        const byId = await select().where('id', '=', reference).executeTakeFirst();
        if (byId !== undefined) return byId;
      }
      return (
        (await select()
          .where('hostname', '=', reference as Hostname)
          .limit(1)
          .executeTakeFirst()) ?? null
      );
    },
    async insert(domain) {
      await db.insertInto('domains').values(toRow(domain)).execute();
    },
    async remove(id) {
      await db.deleteFrom('domains').where('id', '=', id).execute();
    },
  };
}
