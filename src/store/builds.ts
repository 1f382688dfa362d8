import { type Kysely, sql } from 'kysely';
import type { Build, BuildStore } from '../core/builds/build.ts';
import { notFound } from '../core/errors.ts';
import { isId } from '../core/names.ts';
import type { SourceLocation } from '../core/ports/builder.ts';
import { Secret, type SecretBox } from '../core/ports/secret.ts';
import { isEmpty, toRow } from './columns.ts';
import { keyOf, limitOf, pageOf } from './pages.ts';
import type { Schema } from './schema.ts';

/** Of a build as the core has it, its source still sealed. */
export const buildColumns = [
  'id',
  'app_id as appId',
  'number',
  'status',
  'source',
  'description',
  'auto_release as autoRelease',
  'artifact_digest as artifactDigest',
  'failure_code as failureCode',
  'failure_message as failureMessage',
  'created_by as createdBy',
  'created_at as createdAt',
  'started_at as startedAt',
  'finished_at as finishedAt',
  'updated_at as updatedAt',
] as const;

const contextOf = (id: string): string => `build-source/${id}`;

function sealSource(source: SourceLocation, id: string, box: SecretBox): Uint8Array {
  const plain =
    source.kind === 'archive'
      ? { kind: source.kind, url: source.url.reveal(), checksum: source.checksum }
      : { kind: source.kind, reference: source.reference.reveal() };
  return box.seal(new Secret(JSON.stringify(plain)), contextOf(id));
}

type PlainSource =
  | { readonly kind: 'archive'; readonly url: string; readonly checksum: string | null }
  | { readonly kind: 'image'; readonly reference: string };

function openSource(sealed: Uint8Array, id: string, box: SecretBox): SourceLocation {
  const plain = JSON.parse(box.open(sealed, contextOf(id)).reveal()) as PlainSource;
  return plain.kind === 'archive'
    ? { kind: 'archive', url: new Secret(plain.url), checksum: plain.checksum }
    : { kind: 'image', reference: new Secret(plain.reference) };
}

/** Builds, with their source sealed. A build stays findable after its app is gone. */
export function createBuildStore(db: Kysely<Schema>, box: SecretBox): BuildStore {
  const select = () => db.selectFrom('builds').select(buildColumns);
  const opened = (row: Omit<Build, 'source'> & { readonly source: Uint8Array }): Build => ({
    ...row,
    source: openSource(row.source, row.id, box),
  });
  return {
    async find(appId, id) {
      if (!isId(id)) return null;
      const row = await select().where('id', '=', id).where('app_id', '=', appId).executeTakeFirst();
      return row === undefined ? null : opened(row);
    },
    async findAny(id) {
      if (!isId(id)) return null;
      const row = await select().where('id', '=', id).executeTakeFirst();
      return row === undefined ? null : opened(row);
    },
    async insert(build) {
      const { source, ...rest } = build;
      await db
        .insertInto('builds')
        .values({ ...toRow(rest), source: sealSource(source, build.id, box) })
        .execute();
    },
    async nextNumber(appId) {
      const row = await db
        .updateTable('apps')
        .set((app) => ({ last_build_number: app('last_build_number', '+', 1) }))
        .where('id', '=', appId)
        .returning('last_build_number as number')
        .executeTakeFirst();
      if (row === undefined) throw notFound('app', appId);
      return row.number;
    },
    async advance(id, from, change) {
      const query = db.updateTable('builds').where('id', '=', id).where(sql<boolean>`status = any(${from}::text[])`);
      // Without a change it still says whether the status is one of `from`.
      const set = isEmpty(change) ? query.set((own) => ({ status: own.ref('status') })) : query.set(toRow(change));
      return (await set.executeTakeFirst()).numUpdatedRows > 0n;
    },
    async list(appId, page) {
      const limit = limitOf(page);
      const [after] = keyOf(page, 'number') ?? [0];
      const rows = await select()
        .where('app_id', '=', appId)
        .where('number', '>', after)
        .orderBy('number')
        .limit(limit + 1)
        .execute();
      return pageOf(rows.map(opened), limit, (build) => [build.number]);
    },
    async broughtBy(teamId, artifactDigest) {
      const rows = await select()
        .where('artifact_digest', '=', artifactDigest)
        .where('status', '=', 'succeeded')
        .where('app_id', 'in', (own) => own.selectFrom('apps').select('apps.id').where('team_id', '=', teamId))
        .orderBy('finished_at', 'desc')
        .limit(5)
        .execute();
      return rows.map(opened);
    },
    async latestSucceeded(appId, version) {
      const labelled =
        version === undefined ? sql<boolean>`true` : sql<boolean>`description ->> 'version' = ${version}`;
      const row = await select()
        .where(labelled)
        .where('app_id', '=', appId)
        .where('status', '=', 'succeeded')
        .orderBy('number', 'desc')
        .limit(1)
        .executeTakeFirst();
      return row === undefined ? null : opened(row);
    },
  };
}
