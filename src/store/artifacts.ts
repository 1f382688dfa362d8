import { type Kysely, sql } from 'kysely';
import type { ArtifactStore } from '../core/artifacts/artifact.ts';
import { toRow } from './columns.ts';
import type { Schema } from './schema.ts';

const columns = ['digest', 'size_bytes as sizeBytes', 'processes', 'buildpack', 'created_at as createdAt'] as const;

export function createArtifactStore(db: Kysely<Schema>): ArtifactStore {
  return {
    async find(digest) {
      return (await db.selectFrom('artifacts').select(columns).where('digest', '=', digest).executeTakeFirst()) ?? null;
    },
    async insert(artifact) {
      await db
        .insertInto('artifacts')
        .values(toRow(artifact))
        .onConflict((known) => known.doNothing())
        .execute();
    },
    /** Of each app that is not being deleted: its newest releases and builds, the release that serves, and those still pending. */
    async inUse(keepPerApp) {
      const { rows } = await sql<{ digest: string }>`
        with kept as (
          select newest.* from apps cross join lateral (
            (select artifact_digest, processes from releases where app_id = apps.id order by version desc limit ${keepPerApp})
            union all
            (select artifact_digest, processes from releases where id = apps.current_release_id)
            union all
            (select artifact_digest, processes from releases where app_id = apps.id and status = 'pending')
            union all
            (select artifact_digest, '{}' from builds where app_id = apps.id and status = 'succeeded'
              order by number desc limit ${keepPerApp})
          ) as newest
          where apps.deleted_at is null
        )
        select artifact_digest as digest from kept where artifact_digest is not null
        union
        select part.value ->> 'artifactDigest' from kept, jsonb_each(kept.processes) as part`.execute(db);
      return new Set(rows.map((row) => row.digest));
    },
  };
}
