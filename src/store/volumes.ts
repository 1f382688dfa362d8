import type { Kysely } from 'kysely';
import type { VolumeStore } from '../core/volumes/volume.ts';
import { toRow } from './columns.ts';
import type { Schema } from './schema.ts';

const columns = [
  'id',
  'app_id as appId',
  'process_type as processType',
  'seat',
  'path',
  'size_bytes as sizeBytes',
  'created_at as createdAt',
] as const;

export function createVolumeStore(db: Kysely<Schema>): VolumeStore {
  const select = () => db.selectFrom('volumes').select(columns);
  return {
    list: (appId) => select().where('app_id', '=', appId).orderBy('path').orderBy('seat').execute(),
    async allIds() {
      return (await db.selectFrom('volumes').select('id').execute()).map((row) => row.id);
    },
    async places(ids) {
      if (ids.length === 0) return [];
      return db
        .selectFrom('volumes')
        .innerJoin('apps', 'apps.id', 'volumes.app_id')
        .select(['volumes.id', 'volumes.process_type as processType', 'volumes.path', 'apps.handle as appHandle'])
        .where('volumes.id', 'in', [...ids])
        .execute();
    },
    async ensure(volume) {
      const place = () =>
        select()
          .where('app_id', '=', volume.appId)
          .where('process_type', '=', volume.processType)
          .where('seat', '=', volume.seat)
          .where('path', '=', volume.path);
      const known = await place().executeTakeFirst();
      if (known !== undefined) return known;
      await db
        .insertInto('volumes')
        .values(toRow(volume))
        .onConflict((other) => other.constraint('volumes_place_key').doNothing())
        .execute();
      return place().executeTakeFirstOrThrow();
    },
  };
}
