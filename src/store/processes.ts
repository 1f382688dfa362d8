import { type Kysely, sql } from 'kysely';
import type { Id, ProcessType } from '../core/names.ts';
import type { ProcessStore } from '../core/processes/process.ts';
import { isEmpty, toRow } from './columns.ts';
import type { Schema } from './schema.ts';
import { statement } from './statements.ts';

const columns = [
  'processes.id',
  'processes.app_id as appId',
  'processes.type',
  'processes.command',
  'processes.quantity',
  'processes.size_id as sizeId',
  'processes.port',
  'processes.routed',
  'processes.health_path as healthPath',
  'processes.restart_generation as restartGeneration',
  'processes.created_at as createdAt',
  'processes.updated_at as updatedAt',
  'sizes.name as sizeName',
  'sizes.memory_bytes as memoryBytes',
  'sizes.cpu_shares as cpuShares',
  'sizes.pids',
] as const;

/** Processes with what their size says, by app and type. */
export const processViews = (db: Kysely<Schema>) =>
  db
    .selectFrom('processes')
    .innerJoin('sizes', 'sizes.id', 'processes.size_id')
    .select(columns)
    .orderBy('processes.app_id')
    .orderBy('processes.type');
const ofApp = statement((db, appId: Id<'app'>) => processViews(db).where('processes.app_id', '=', appId));
const ofApps = statement((db, appIds: readonly Id<'app'>[]) =>
  processViews(db).where(sql<boolean>`processes.app_id = any(${appIds}::uuid[])`),
);
const ofType = statement((db, appId: Id<'app'>, type: ProcessType) =>
  processViews(db).where('processes.app_id', '=', appId).where('processes.type', '=', type),
);

export function createProcessStore(db: Kysely<Schema>): ProcessStore {
  return {
    list: (appId) => ofApp(db, appId),
    listOf: (appIds) => ofApps(db, appIds),
    async find(appId, type) {
      return (await ofType(db, appId, type as ProcessType))[0] ?? null;
    },
    async insert(process) {
      await db.insertInto('processes').values(toRow(process)).execute();
    },
    async update(id, change) {
      if (isEmpty(change)) return;
      await db.updateTable('processes').set(toRow(change)).where('id', '=', id).execute();
    },
    async remove(id) {
      await db.deleteFrom('processes').where('id', '=', id).execute();
    },
  };
}
