import { type Kysely, sql } from 'kysely';
import type { Id, ProcessType } from '../core/names.ts';
import type { Process, ProcessStore } from '../core/processes/process.ts';
import { isEmpty, toRow } from './columns.ts';
import type { Schema } from './schema.ts';
import { statement } from './statements.ts';

const columns = [
  'processes.id',
  'processes.app_id as appId',
  'processes.type',
  'processes.command',
  'processes.image',
  'processes.entrypoint',
  'processes.arguments',
  'processes.quantity',
  'processes.stopped',
  'processes.size_id as sizeId',
  'processes.ports',
  'processes.routed',
  'processes.pod',
  'processes.mounts',
  'processes.links',
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

/** Lists that are JSON in the table: the driver would make arrays of SQL of them. */
const inJson = ['arguments', 'mounts', 'links'] as const;
function processRow<T extends Partial<Process>>(process: T): ReturnType<typeof toRow<T>> {
  const texts = inJson.flatMap((field) => (process[field] == null ? [] : [[field, JSON.stringify(process[field])]]));
  return toRow({ ...process, ...Object.fromEntries(texts) });
}

export function createProcessStore(db: Kysely<Schema>): ProcessStore {
  return {
    list: (appId) => ofApp(db, appId),
    listOf: (appIds) => ofApps(db, appIds),
    async find(appId, type) {
      return (await ofType(db, appId, type as ProcessType))[0] ?? null;
    },
    linked: () =>
      db
        .selectFrom('processes')
        .select(['app_id as appId', 'pod', 'links'])
        .where(sql<boolean>`links <> '[]'`)
        .execute(),
    portsOf: (appIds) =>
      db
        .selectFrom('processes')
        .select(['app_id as appId', 'type', 'pod', 'ports'])
        .where(sql<boolean>`app_id = any(${appIds}::uuid[])`)
        .execute(),
    async insert(process) {
      await db.insertInto('processes').values(processRow(process)).execute();
    },
    async update(id, change) {
      if (isEmpty(change)) return;
      await db.updateTable('processes').set(processRow(change)).where('id', '=', id).execute();
    },
    async remove(id) {
      await db.deleteFrom('processes').where('id', '=', id).execute();
    },
  };
}
