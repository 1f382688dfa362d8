import { type Kysely, sql } from 'kysely';
import type { AddonStore } from '../core/addons/addon.ts';
import { isId } from '../core/names.ts';
import { type Environment, Secret, type SecretBox } from '../core/ports/secret.ts';
import { isEmpty, toRow } from './columns.ts';
import { keyOf, limitOf, pageOf } from './pages.ts';
import type { Schema } from './schema.ts';

const columns = [
  'addons.id',
  'addons.name',
  'addons.service_id as serviceId',
  'addons.plan_id as planId',
  'addons.wanted_plan_id as wantedPlanId',
  'addons.team_id as teamId',
  'addons.app_id as appId',
  'addons.state',
  'addons.state_description as stateDescription',
  'addons.resource_id as resourceId',
  'addons.over_limit as overLimit',
  'addons.description',
  'addons.tags',
  'addons.parameters',
  'addons.created_by as createdBy',
  'addons.changed_by as changedBy',
  'addons.created_at as createdAt',
  'addons.updated_at as updatedAt',
  'addons.provisioned_at as provisionedAt',
] as const;
const viewColumns = [
  ...columns,
  'services.name as serviceName',
  'services.label as serviceLabel',
  'plans.name as planName',
  'plans.label as planLabel',
  'plans.price_cents as planPriceCents',
  'teams.name as teamName',
  'apps.handle as appHandle',
] as const;

const secretContext = (id: string): string => `addon-secret/${id}`;
const configContext = (id: string): string => `addon-config/${id}`;

/** Add-ons; what only providers may see is sealed and read apart. */
export function createAddonStore(db: Kysely<Schema>, box: SecretBox): AddonStore {
  const views = () =>
    db
      .selectFrom('addons')
      .innerJoin('services', 'services.id', 'addons.service_id')
      .innerJoin('plans', 'plans.id', 'addons.plan_id')
      .innerJoin('teams', 'teams.id', 'addons.team_id')
      .leftJoin('apps', 'apps.id', 'addons.app_id')
      .select(viewColumns);
  return {
    async find(id) {
      if (!isId(id)) return null;
      return (await views().where('addons.id', '=', id).executeTakeFirst()) ?? null;
    },
    async findByName(serviceId, name) {
      const query = views().where('addons.service_id', '=', serviceId).where('addons.name', '=', name);
      return (await query.executeTakeFirst()) ?? null;
    },
    async findByResource(serviceId, resourceId) {
      const query = views().where('addons.service_id', '=', serviceId).where('addons.resource_id', '=', resourceId);
      return (await query.limit(1).executeTakeFirst()) ?? null;
    },
    async list(visible, filter, page) {
      const limit = limitOf(page);
      const key = keyOf(page, 'string', 'string');
      let query = views()
        .orderBy('addons.name')
        .orderBy('addons.id')
        .limit(limit + 1);
      if (visible !== 'all') {
        const { teamIds, appIds } = visible;
        query = query.where(
          sql<boolean>`(addons.team_id = any(${teamIds}::uuid[]) or addons.app_id = any(${appIds}::uuid[]))`,
        );
      }
      if (filter.appId !== undefined) query = query.where('addons.app_id', '=', filter.appId);
      if (filter.serviceId !== undefined) query = query.where('addons.service_id', '=', filter.serviceId);
      if (filter.teamId !== undefined) query = query.where('addons.team_id', '=', filter.teamId);
      if (key !== null) query = query.where(sql<boolean>`(addons.name, addons.id) > (${key[0]}, ${key[1]}::uuid)`);
      return pageOf(await query.execute(), limit, (addon) => [addon.name, addon.id]);
    },
    ofApp: (appId) =>
      views().where('addons.app_id', '=', appId).orderBy('addons.created_at').orderBy('addons.id').execute(),
    async lock(id) {
      const query = db.selectFrom('addons').select(columns).where('id', '=', id).forUpdate();
      return (await query.executeTakeFirst()) ?? null;
    },
    async insert(addon, secret) {
      await db
        .insertInto('addons')
        .values({ ...toRow(addon), secret: box.seal(secret, secretContext(addon.id)), config: null })
        .execute();
    },
    async update(id, change) {
      if (isEmpty(change)) return;
      await db.updateTable('addons').set(toRow(change)).where('id', '=', id).execute();
    },
    async remove(id) {
      await db.deleteFrom('addons').where('id', '=', id).execute();
    },
    async credentials(id) {
      const row = await db.selectFrom('addons').select(['secret', 'config']).where('id', '=', id).executeTakeFirst();
      if (row === undefined) return null;
      const config = row.config === null ? {} : openConfig(box.open(row.config, configContext(id)));
      return { secret: box.open(row.secret, secretContext(id)), config };
    },
    async setConfig(id, config) {
      const plain = Object.entries(config).map(([name, value]) => [name, value.reveal()]);
      const sealed = box.seal(new Secret(JSON.stringify(plain)), configContext(id));
      await db.updateTable('addons').set({ config: sealed }).where('id', '=', id).execute();
    },
    running: (provider) =>
      views()
        .where('services.provider', '=', provider)
        .where('addons.state', '=', 'running')
        .orderBy('addons.id')
        .execute(),
  };
}

const openConfig = (plain: Secret): Environment =>
  Object.fromEntries(
    (JSON.parse(plain.reveal()) as [string, string][]).map(([name, value]) => [name, new Secret(value)]),
  );
