import { type Kysely, sql } from 'kysely';
import { jsonArrayFrom } from 'kysely/helpers/postgres';
import { isId } from '../core/names.ts';
import type { ServiceManifest } from '../core/ports/addon-provider.ts';
import { Secret, type SecretBox } from '../core/ports/secret.ts';
import type { Plan, ServiceStore } from '../core/services/service.ts';
import { toRow } from './columns.ts';
import type { Schema } from './schema.ts';

const columns = [
  'services.id',
  'services.name',
  'label',
  'short_description as shortDescription',
  'description',
  'category',
  'logo_url as logoUrl',
  'provider',
  'provider_name as providerName',
  'provider_url as providerUrl',
  'team_id as teamId',
  'shareable',
  'multiple',
  'doc',
  'created_at as createdAt',
  'updated_at as updatedAt',
] as const;
const planColumns = [
  'plans.id',
  'plans.service_id as serviceId',
  'plans.name',
  'plans.label',
  'plans.description',
  'plans.price_cents as priceCents',
  'plans.limits',
  'plans.attributes',
  'plans.position',
  'plans.created_at as createdAt',
] as const;

const contextOf = (id: string): string => `service/${id}`;

const seal = (manifest: ServiceManifest, id: string, box: SecretBox): Uint8Array =>
  box.seal(
    new Secret(
      JSON.stringify({
        ...manifest,
        password: manifest.password.reveal(),
        ssoSalt: manifest.ssoSalt.reveal(),
      }),
    ),
    contextOf(id),
  );

function unseal(sealed: Uint8Array, id: string, box: SecretBox): ServiceManifest {
  const plain = JSON.parse(box.open(sealed, contextOf(id)).reveal()) as ServiceManifest & {
    readonly password: string;
    readonly ssoSalt: string;
  };
  return { ...plain, password: new Secret(plain.password), ssoSalt: new Secret(plain.ssoSalt) };
}

/** The catalogue; how a service is called is sealed. */
export function createServiceStore(db: Kysely<Schema>, box: SecretBox): ServiceStore {
  const select = () =>
    db
      .selectFrom('services')
      .select(columns)
      .select((service) =>
        jsonArrayFrom(
          service
            .selectFrom('plans')
            .select(planColumns)
            .whereRef('plans.service_id', '=', 'services.id')
            .orderBy('plans.position')
            .orderBy('plans.name'),
        ).as('plans'),
      )
      .orderBy('services.name');
  // JSON has no dates.
  const revive = <T extends { readonly plans: readonly (Omit<Plan, 'createdAt'> & { readonly createdAt: string })[] }>(
    row: T,
  ): Omit<T, 'plans'> & { readonly plans: readonly Plan[] } => ({
    ...row,
    plans: row.plans.map((plan) => ({ ...plan, createdAt: new Date(plan.createdAt) })),
  });
  const insertPlans = async (plans: readonly Plan[]): Promise<void> => {
    if (plans.length === 0) return;
    await db
      .insertInto('plans')
      .values(plans.map((plan) => toRow(plan)))
      .onConflict((known) =>
        known.columns(['service_id', 'name']).doUpdateSet((next) => ({
          label: next.ref('excluded.label'),
          description: next.ref('excluded.description'),
          price_cents: next.ref('excluded.price_cents'),
          limits: next.ref('excluded.limits'),
          attributes: next.ref('excluded.attributes'),
          position: next.ref('excluded.position'),
        })),
      )
      .execute();
  };
  return {
    async list() {
      return (await select().execute()).map((row) => revive(row));
    },
    async find(reference) {
      const row = await select()
        .where(isId(reference) ? 'services.id' : 'services.name', '=', reference)
        .executeTakeFirst();
      return row === undefined ? null : revive(row);
    },
    async insert(service, plans, manifest) {
      await db
        .insertInto('services')
        .values({
          ...toRow(service),
          manifest: manifest === null ? null : seal(manifest, service.id, box),
          manifest_user: manifest?.username ?? null,
        })
        .execute();
      await insertPlans(plans);
    },
    async update({ id, ...service }, plans, manifest) {
      await db
        .updateTable('services')
        .set({
          ...toRow(service),
          ...(manifest === null ? {} : { manifest: seal(manifest, id, box), manifest_user: manifest.username }),
        })
        .where('id', '=', id)
        .execute();
      if (plans === null) return;
      const names = plans.map((plan) => plan.name);
      await db
        .deleteFrom('plans')
        .where('service_id', '=', id)
        .where(sql<boolean>`name <> all(${names}::text[])`)
        .execute();
      await insertPlans(plans);
    },
    async remove(id) {
      await db.deleteFrom('services').where('id', '=', id).execute();
    },
    async findManifest(id) {
      const row = await db.selectFrom('services').select('manifest').where('id', '=', id).executeTakeFirst();
      return row?.manifest ? unseal(row.manifest, id, box) : null;
    },
    async findByManifestUser(username) {
      const row = await db
        .selectFrom('services')
        .select(columns)
        .where('manifest_user', '=', username)
        .executeTakeFirst();
      return row ?? null;
    },
  };
}
