import type { Kysely } from 'kysely';
import type { KeyStore } from '../core/keys/key.ts';
import { toRow } from './columns.ts';
import type { Schema } from './schema.ts';

const columns = [
  'id',
  'user_id as userId',
  'name',
  'type',
  'content',
  'fingerprint',
  'created_at as createdAt',
] as const;

export function createKeyStore(db: Kysely<Schema>): KeyStore {
  const select = () => db.selectFrom('ssh_keys').select(columns);
  return {
    listOfUser: (userId) => select().where('user_id', '=', userId).orderBy('name').orderBy('id').execute(),
    async findByFingerprint(fingerprint) {
      return (await select().where('fingerprint', '=', fingerprint).executeTakeFirst()) ?? null;
    },
    async insert(key) {
      await db.insertInto('ssh_keys').values(toRow(key)).execute();
    },
    async remove(id) {
      await db.deleteFrom('ssh_keys').where('id', '=', id).execute();
    },
  };
}
