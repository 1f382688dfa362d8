import { type Kysely, sql } from 'kysely';
import type { AnnotationStore } from '../core/annotations/annotation.ts';
import type { SecretBox } from '../core/ports/secret.ts';
import type { Schema } from './schema.ts';

const contextOf = (appId: string, name: string): string => `annotation/${appId}/${name}`;

/** Annotations, sealed on the way in and opened on the way out. */
export function createAnnotationStore(db: Kysely<Schema>, box: SecretBox): AnnotationStore {
  const findOf: AnnotationStore['findOf'] = async (appIds, name) => {
    const rows = await db
      .selectFrom('annotations')
      .select(['app_id', 'value'])
      .where('name', '=', name)
      .where(sql<boolean>`app_id = any(${appIds}::uuid[])`)
      .execute();
    return new Map(rows.map((row) => [row.app_id, box.open(row.value, contextOf(row.app_id, name))]));
  };
  return {
    findOf,
    async find(appId, name) {
      return (await findOf([appId], name)).get(appId) ?? null;
    },
    async set(appId, name, value, now) {
      const sealed = box.seal(value, contextOf(appId, name));
      await db
        .insertInto('annotations')
        .values({ app_id: appId, name, value: sealed, updated_at: now })
        .onConflict((known) => known.columns(['app_id', 'name']).doUpdateSet({ value: sealed, updated_at: now }))
        .execute();
    },
  };
}
