import type { Kysely } from 'kysely';
import type { FavoriteStore } from '../core/favorites/favorite.ts';
import { toRow } from './columns.ts';
import type { Schema } from './schema.ts';

const columns = ['owner', 'app_id as appId', 'created_at as createdAt'] as const;

export function createFavoriteStore(db: Kysely<Schema>): FavoriteStore {
  return {
    list: (owner) =>
      db
        .selectFrom('favorites')
        .select(columns)
        .where('owner', '=', owner)
        .orderBy('created_at')
        .orderBy('app_id')
        .execute(),
    add: (favorite) =>
      db
        .insertInto('favorites')
        .values(toRow(favorite))
        // Touches the row that is there, so that it is given back.
        .onConflict((conflict) =>
          conflict.columns(['owner', 'app_id']).doUpdateSet((row) => ({ owner: row.ref('favorites.owner') })),
        )
        .returning(columns)
        .executeTakeFirstOrThrow(),
    async remove(owner, appId) {
      const { numDeletedRows } = await db
        .deleteFrom('favorites')
        .where('owner', '=', owner)
        .where('app_id', '=', appId)
        .executeTakeFirst();
      return numDeletedRows > 0n;
    },
  };
}
