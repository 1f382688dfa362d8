import { type Kysely, sql } from 'kysely';
import type { ProcessType } from '../core/names.ts';
import type { ProcessStore } from '../core/processes/process.ts';
import { isEmpty, toRow } from './columns.ts';
import type { Schema } from './schema.ts';

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

export function createProcessStore(db: Kysely<Schema>): ProcessStore {
  const select = () =>
    db
      .selectFrom('processes')
      .innerJoin('sizes', 'sizes.id', 'processes.size_id')
      .select(columns)
      .orderBy('processes.app_id')
      .orderBy('processes.type');
  return {
    list: (appId) => select().where('processes.app_id', '=', appId).execute(),
    listOf: (appIds) => select().where(sql<boolean>`processes.app_id = any(${appIds}::uuid[])`).execute(),
    async find(appId, type) {
      const row = await select()
        .where('processes.app_id', '=', appId)
        .where('processes.type', '=', type as ProcessType)
        .executeTakeFirst();
      return row ?? null;
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
