import type { Kysely } from 'kysely';
import type { SecretBox } from '../core/ports/secret.ts';
import type { RegistryStore } from '../core/registries/registry.ts';
import { toRow } from './columns.ts';
import type { Schema } from './schema.ts';

const columns = ['id', 'team_id as teamId', 'host', 'username', 'created_at as createdAt'] as const;

const contextOf = (teamId: string, host: string): string => `registry/${teamId}/${host}`;

/** What teams sign in with to registries; passwords are sealed on the way in and opened only for who asks for one registry's. */
export function createRegistryStore(db: Kysely<Schema>, box: SecretBox): RegistryStore {
  return {
    list: (teamId) =>
      db.selectFrom('registries').select(columns).where('team_id', '=', teamId).orderBy('host').execute(),
    async find(teamId, host) {
      const row = await db
        .selectFrom('registries')
        .select([...columns, 'password'])
        .where('team_id', '=', teamId)
        .where('host', '=', host)
        .executeTakeFirst();
      return row === undefined ? null : { ...row, password: box.open(row.password, contextOf(teamId, host)) };
    },
    async set({ password, ...shown }) {
      const sealed = box.seal(password, contextOf(shown.teamId, shown.host));
      await db
        .insertInto('registries')
        .values({ ...toRow(shown), password: sealed })
        .onConflict((known) =>
          known.columns(['team_id', 'host']).doUpdateSet({ username: shown.username, password: sealed }),
        )
        .execute();
    },
    async remove(id) {
      await db.deleteFrom('registries').where('id', '=', id).execute();
    },
  };
}
