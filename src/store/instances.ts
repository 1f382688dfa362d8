import { type Kysely, sql } from 'kysely';
import { movedGeneration } from '../core/instances/generation.ts';
import type { InstanceStore } from '../core/instances/instance.ts';
import type { Id } from '../core/names.ts';
import { isEmpty, toRow } from './columns.ts';
import type { Schema } from './schema.ts';
import { statement } from './statements.ts';

const columns = [
  'id',
  'app_id as appId',
  'release_id as releaseId',
  'process_type as processType',
  'generation',
  'state',
  'series',
  'ordinal',
  'routed',
  'node_id as nodeId',
  'host',
  'port',
  'restarts',
  'retry_at as retryAt',
  'failure_code as failureCode',
  'failure_message as failureMessage',
  'created_at as createdAt',
  'ready_at as readyAt',
  'updated_at as updatedAt',
] as const;

const ofApp = statement((db, appId: Id<'app'>) =>
  db.selectFrom('instances').select(columns).where('app_id', '=', appId).orderBy('created_at').orderBy('id'),
);

export function createInstanceStore(db: Kysely<Schema>): InstanceStore {
  const select = () => db.selectFrom('instances').select(columns);
  return {
    list: (appId) => ofApp(db, appId),
    routable: () =>
      select()
        .where('ready_at', 'is not', null)
        .where('state', 'in', ['starting', 'ready'])
        .orderBy('app_id')
        .orderBy('id')
        .execute(),
    all: () => db.selectFrom('instances').select(['id', 'app_id as appId', 'state']).execute(),
    placed: () =>
      db
        .selectFrom('instances')
        .innerJoin('apps', 'apps.id', 'instances.app_id')
        .select([
          'instances.id',
          'instances.app_id as appId',
          'instances.process_type as processType',
          'instances.generation',
          'instances.state',
          'instances.node_id as nodeId',
          'instances.failure_code as failureCode',
          'instances.created_at as createdAt',
          'apps.pool_id as poolId',
        ])
        .orderBy('instances.created_at')
        .orderBy('instances.id')
        .execute(),
    async move(ids, at) {
      if (ids.length === 0) return [];
      const { rows } = await sql<{ appId: Id<'app'> }>`
        update instances set generation = ${movedGeneration('')} || generation, updated_at = ${at}
        where id = any(${ids}::uuid[]) and state in ('starting', 'ready')
          and not starts_with(generation, ${movedGeneration('')})
        returning app_id as "appId"`.execute(db);
      return [...new Set(rows.map(({ appId }) => appId))];
    },
    async hurry(poolId, failureCode, now) {
      const { rows } = await sql<{ appId: Id<'app'> }>`
        update instances set retry_at = ${now}, updated_at = ${now} from apps
        where apps.id = instances.app_id and apps.pool_id = ${poolId} and instances.state = 'crashed'
          and instances.failure_code = ${failureCode} and instances.retry_at > ${now}
        returning instances.app_id as "appId"`.execute(db);
      return [...new Set(rows.map(({ appId }) => appId))];
    },
    async insert(instance) {
      await db.insertInto('instances').values(toRow(instance)).execute();
    },
    async update(id, change) {
      if (isEmpty(change)) return;
      await db.updateTable('instances').set(toRow(change)).where('id', '=', id).execute();
    },
    async remove(id) {
      await db.deleteFrom('instances').where('id', '=', id).execute();
    },
  };
}
