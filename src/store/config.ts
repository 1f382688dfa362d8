import { type Kysely, sql } from 'kysely';
import type { ConfigStore, ConfigVar } from '../core/config/config.ts';
import type { ConfigName } from '../core/names.ts';
import { isId } from '../core/names.ts';
import { type Environment, Secret, type SecretBox } from '../core/ports/secret.ts';
import type { Schema } from './schema.ts';

type Place = Pick<ConfigVar, 'source' | 'ownerId' | 'name'>;
/** A sealed value opens only at the place it was set: rows that were swapped in the table do not. */
const contextOf = (place: Place): string => `config/${place.source}/${place.ownerId}/${place.name}`;
const snapshotContext = (id: string): string => `config-snapshot/${id}`;

/** Config, sealed on the way in and opened on the way out. */
export function createConfigStore(db: Kysely<Schema>, box: SecretBox): ConfigStore {
  return {
    async list(source, ownerId) {
      const rows = await db
        .selectFrom('config_vars')
        .select([
          'source',
          'owner_id as ownerId',
          'name',
          'value',
          'description',
          'required',
          'updated_at as updatedAt',
        ])
        .where('owner_id', '=', ownerId)
        .where('source', '=', source)
        .orderBy('name')
        .execute();
      return rows.map((row): ConfigVar => ({ ...row, value: box.open(row.value, contextOf(row)) }));
    },
    async set(vars) {
      if (vars.length === 0) return;
      const rows = vars.map((one) => ({
        source: one.source,
        owner_id: one.ownerId,
        name: one.name,
        value: box.seal(one.value, contextOf(one)),
        description: one.description,
        required: one.required,
        updated_at: one.updatedAt,
      }));
      await db
        .insertInto('config_vars')
        .values(rows)
        .onConflict((known) =>
          known.columns(['owner_id', 'source', 'name']).doUpdateSet((next) => ({
            value: next.ref('excluded.value'),
            description: next.ref('excluded.description'),
            required: next.ref('excluded.required'),
            updated_at: next.ref('excluded.updated_at'),
          })),
        )
        .execute();
    },
    async remove(source, ownerId, names) {
      await db
        .deleteFrom('config_vars')
        .where('owner_id', '=', ownerId)
        .where('source', '=', source)
        .where(sql<boolean>`name = any(${names}::text[])`)
        .execute();
    },
    async resolve(appId) {
      const { rows } = await sql<Place & { readonly value: Uint8Array }>`
        select vars.source, vars.owner_id as "ownerId", vars.name, vars.value
        from (
          select 1 as rank, 'space' as source, space_id as owner_id from apps where id = ${appId}
          union all select 2, 'addon', id from bindings where app_id = ${appId}
          union all select 3, 'app', ${appId}::uuid
        ) as owners
        join config_vars as vars on vars.owner_id = owners.owner_id and vars.source = owners.source
        order by owners.rank, vars.name`.execute(db);
      // The app's own come last and win.
      return environmentOf(rows.map((row) => [row.name, box.open(row.value, contextOf(row))]));
    },
    async snapshot(id, appId, environment) {
      const plain = Object.entries(environment).map(([name, value]) => [name, value.reveal()]);
      const sealed = box.seal(new Secret(JSON.stringify(plain)), snapshotContext(id));
      await db.insertInto('config_snapshots').values({ id, app_id: appId, environment: sealed }).execute();
    },
    async findSnapshot(id) {
      if (!isId(id)) return null;
      const row = await db.selectFrom('config_snapshots').select('environment').where('id', '=', id).executeTakeFirst();
      if (row === undefined) return null;
      const plain = JSON.parse(box.open(row.environment, snapshotContext(id)).reveal()) as [ConfigName, string][];
      return environmentOf(plain.map(([name, value]) => [name, new Secret(value)]));
    },
  };
}

/** Without a prototype's names in the way: a variable may be called `constructor`. */
const environmentOf = (entries: readonly (readonly [string, Secret])[]): Environment => Object.fromEntries(entries);
