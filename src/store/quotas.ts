import type { Kysely } from 'kysely';
import type { QuotaStore } from '../core/quotas/quota.ts';
import { toRow } from './columns.ts';
import type { Schema } from './schema.ts';

export function createQuotaStore(db: Kysely<Schema>): QuotaStore {
  return {
    async find(subject, subjectId, kind) {
      const row = await db
        .selectFrom('quotas')
        .select(['subject', 'subject_id as subjectId', 'kind', 'limit'])
        .where('subject', '=', subject)
        .where('subject_id', '=', subjectId)
        .where('kind', '=', kind)
        .executeTakeFirst();
      return row ?? null;
    },
    async set(quota) {
      await db
        .insertInto('quotas')
        .values(toRow(quota))
        .onConflict((known) => known.columns(['subject', 'subject_id', 'kind']).doUpdateSet({ limit: quota.limit }))
        .execute();
    },
  };
}
