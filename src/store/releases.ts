import { type Kysely, sql } from 'kysely';
import { notFound } from '../core/errors.ts';
import { type Id, isId } from '../core/names.ts';
import type { ReleaseStore } from '../core/releases/release.ts';
import { isEmpty, toRow } from './columns.ts';
import { keyOf, limitOf, pageOf } from './pages.ts';
import type { Schema } from './schema.ts';
import { statement } from './statements.ts';

const columns = [
  'id',
  'app_id as appId',
  'version',
  'kind',
  'status',
  'artifact_digest as artifactDigest',
  'build_id as buildId',
  'config_snapshot_id as configSnapshotId',
  'commands',
  'processes',
  'strategy',
  'description',
  'rollback_of as rollbackOf',
  'failure_code as failureCode',
  'failure_message as failureMessage',
  'created_by as createdBy',
  'created_at as createdAt',
  'updated_at as updatedAt',
] as const;

const byId = statement((db, appId: Id<'app'>, id: Id<'release'>) =>
  db.selectFrom('releases').select(columns).where('id', '=', id).where('app_id', '=', appId),
);

export function createReleaseStore(db: Kysely<Schema>): ReleaseStore {
  const select = () => db.selectFrom('releases').select(columns);
  return {
    async find(appId, id) {
      return isId(id) ? ((await byId(db, appId, id))[0] ?? null) : null;
    },
    async findByVersion(appId, version) {
      return (await select().where('app_id', '=', appId).where('version', '=', version).executeTakeFirst()) ?? null;
    },
    async insert(release) {
      await db.insertInto('releases').values(toRow(release)).execute();
    },
    async nextVersion(appId) {
      const row = await db
        .updateTable('apps')
        .set((app) => ({ last_release_version: app('last_release_version', '+', 1) }))
        .where('id', '=', appId)
        .returning('last_release_version as version')
        .executeTakeFirst();
      if (row === undefined) throw notFound('app', appId);
      return row.version;
    },
    async advance(id, from, change) {
      const query = db.updateTable('releases').where('id', '=', id).where(sql<boolean>`status = any(${from}::text[])`);
      // Without a change it still says whether the status is one of `from`.
      const set = isEmpty(change) ? query.set((own) => ({ status: own.ref('status') })) : query.set(toRow(change));
      return (await set.executeTakeFirst()).numUpdatedRows > 0n;
    },
    async pending(appId) {
      const row = await select()
        .where('app_id', '=', appId)
        .where('status', '=', 'pending')
        .orderBy('version', 'desc')
        .limit(1)
        .executeTakeFirst();
      return row ?? null;
    },
    async supersede(appId, before, now) {
      await db
        .updateTable('releases')
        .set({ status: 'superseded', updated_at: now })
        .where('app_id', '=', appId)
        .where('status', '=', 'pending')
        .where('version', '<', before)
        .execute();
    },
    async list(appId, kinds, page) {
      const limit = limitOf(page);
      const [after] = keyOf(page, 'number') ?? [0];
      const rows = await select()
        .where('app_id', '=', appId)
        .where('version', '>', after)
        .where(sql<boolean>`kind = any(${kinds}::text[])`)
        .orderBy('version')
        .limit(limit + 1)
        .execute();
      return pageOf(rows, limit, (release) => [release.version]);
    },
  };
}
