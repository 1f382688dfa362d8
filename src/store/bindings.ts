import { type Kysely, sql } from 'kysely';
import type { BindingStore } from '../core/addons/addon.ts';
import { isId } from '../core/names.ts';
import { isEmpty, toRow } from './columns.ts';
import type { Schema } from './schema.ts';

const columns = [
  'bindings.id',
  'bindings.addon_id as addonId',
  'bindings.app_id as appId',
  'bindings.app_handle as appHandle',
  'bindings.name',
  'bindings.prefix',
  'bindings.state',
  'bindings.state_description as stateDescription',
  'bindings.created_at as createdAt',
  'bindings.updated_at as updatedAt',
  'addons.name as addonName',
  'addons.app_id as ownerAppId',
  'services.id as serviceId',
  'services.name as serviceName',
  'plans.name as planName',
] as const;

/** What binds add-ons to apps; the variables themselves lie with the config. */
export function createBindingStore(db: Kysely<Schema>): BindingStore {
  const select = () =>
    db
      .selectFrom('bindings')
      .innerJoin('addons', 'addons.id', 'bindings.addon_id')
      .innerJoin('services', 'services.id', 'addons.service_id')
      .innerJoin('plans', 'plans.id', 'addons.plan_id')
      .select(columns)
      .orderBy('bindings.created_at')
      .orderBy('bindings.id');
  return {
    async find(id) {
      if (!isId(id)) return null;
      return (await select().where('bindings.id', '=', id).executeTakeFirst()) ?? null;
    },
    ofApp: (appId) => select().where('bindings.app_id', '=', appId).execute(),
    ofAddon: (addonId) => select().where('bindings.addon_id', '=', addonId).execute(),
    async insert(binding) {
      await db.insertInto('bindings').values(toRow(binding)).execute();
    },
    async update(id, change) {
      if (isEmpty(change)) return;
      await db.updateTable('bindings').set(toRow(change)).where('id', '=', id).execute();
    },
    async remove(id) {
      await sql`delete from config_vars where source = 'addon' and owner_id = ${id}`.execute(db);
      await db.deleteFrom('bindings').where('id', '=', id).execute();
    },
  };
}
