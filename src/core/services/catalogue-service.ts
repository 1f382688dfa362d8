import type { Actor } from '../access/actor.ts';
import { demand } from '../access/authorize.ts';
import { invalid, notFound } from '../errors.ts';
import { record } from '../events/record.ts';
import { configName, serviceName } from '../names.ts';
import type { PlanLimits, ServiceManifest } from '../ports/addon-provider.ts';
import type { CoreContext } from '../ports/core-context.ts';
import type { Plan, Service, ServiceWithPlans } from './service.ts';

/** The provider of services that are registered by manifest. */
export const MANIFEST_PROVIDER = 'manifest';

export interface NewPlan {
  readonly name: string;
  readonly label?: string;
  readonly description?: string;
  /** For thirty days. */
  readonly priceCents?: number;
  readonly limits?: PlanLimits;
  readonly attributes?: Readonly<Record<string, string>>;
}

export type ServiceTexts = Partial<
  Pick<
    Service,
    | 'label'
    | 'shortDescription'
    | 'description'
    | 'category'
    | 'logoUrl'
    | 'providerName'
    | 'providerUrl'
    | 'shareable'
    | 'multiple'
    | 'doc'
  >
>;

export interface RegisterService extends ServiceTexts {
  readonly name: string;
  /** Team name or id; absent: the platform's own, which needs the permission everywhere. */
  readonly team?: string;
  /** At least one. */
  readonly plans: readonly NewPlan[];
  /** How it is called. */
  readonly manifest: ServiceManifest;
}

const noLimits: PlanLimits = { storageBytes: null, connections: null };
const PASSWORD_MIN = 12;

/** What add-ons can be made of. Everybody may read it; services that others run are registered with the way to call them. */
export class CatalogueService {
  readonly #context: CoreContext;
  constructor(context: CoreContext) {
    this.#context = context;
  }

  /** All services with their plans, by name. Public: it needs no actor. */
  list(): Promise<readonly ServiceWithPlans[]> {
    return this.#context.db.services.list();
  }

  /** By id or name. */
  async get(reference: string): Promise<ServiceWithPlans> {
    const service = await this.#context.db.services.find(reference);
    if (service === null) throw notFound('service', reference);
    return service;
  }

  /** Plans in their order. */
  async plans(reference: string): Promise<readonly Plan[]> {
    return (await this.get(reference)).plans;
  }

  /** Needs `service.create`. Throws conflict `service-exists`, also when another service has the manifest's user name. */
  async register(actor: Actor, input: RegisterService): Promise<ServiceWithPlans> {
    const { db, clock, ids } = this.#context;
    const team = input.team === undefined ? null : await db.teams.find(input.team);
    if (team === null && input.team !== undefined) throw notFound('team', input.team);
    demand(actor, 'service.create', { teamId: team?.id ?? null });
    const now = clock.now();
    const { name, plans, manifest, team: _team, ...texts } = input;
    checkManifest(manifest);
    const service: Service = {
      id: ids.id(),
      name: serviceName(name, 'name'),
      label: name,
      shortDescription: '',
      description: '',
      category: 'other',
      logoUrl: null,
      provider: MANIFEST_PROVIDER,
      providerName: name,
      providerUrl: null,
      teamId: team?.id ?? null,
      shareable: true,
      multiple: true,
      doc: '',
      createdAt: now,
      updatedAt: now,
      ...texts,
    };
    await db.transaction(async (stores) => {
      await stores.services.insert(service, this.#plans(service, plans), manifest);
      await record(this.#context, stores, actor, 'ServiceCreated', team === null ? {} : { teamId: team.id }, {
        service: name,
      });
    });
    return this.get(service.id);
  }

  /**
   * Needs `service.update`. Plans are replaced as a whole: one of the same name keeps its add-ons; conflict `plan-has-addons` when one that
   * has some is left out.
   */
  async update(
    actor: Actor,
    reference: string,
    change: ServiceTexts & { readonly plans?: readonly NewPlan[]; readonly manifest?: ServiceManifest },
  ): Promise<ServiceWithPlans> {
    const { db, clock } = this.#context;
    const service = await this.#demand(actor, reference, 'service.update');
    const { plans, manifest, ...texts } = change;
    if (manifest !== undefined) checkManifest(manifest);
    const { plans: _old, ...before } = service;
    const after: Service = { ...before, ...texts, updatedAt: clock.now() };
    await db.transaction(async (stores) => {
      const replaced = plans === undefined ? null : this.#plans(after, plans);
      await stores.services.update(after, replaced, manifest ?? null);
      await record(this.#context, stores, actor, 'ServiceUpdated', aboutTeam(service), {
        service: service.name,
        changed: Object.keys(change),
      });
    });
    return this.get(service.id);
  }

  /** Needs `service.delete`. Throws conflict `service-has-addons`. */
  async remove(actor: Actor, reference: string): Promise<ServiceWithPlans> {
    const service = await this.#demand(actor, reference, 'service.delete');
    await this.#context.db.transaction(async (stores) => {
      await stores.services.remove(service.id);
      await record(this.#context, stores, actor, 'ServiceRemoved', aboutTeam(service), { service: service.name });
    });
    return service;
  }

  async #demand(actor: Actor, reference: string, permission: string): Promise<ServiceWithPlans> {
    const service = await this.get(reference);
    demand(actor, permission, { teamId: service.teamId, serviceId: service.id });
    return service;
  }

  #plans(service: Service, plans: readonly NewPlan[]): readonly Plan[] {
    const { ids, clock } = this.#context;
    if (plans.length === 0) throw invalid('plans', 'a service needs a plan', 'missing');
    return plans.map((plan, position) => ({
      id: ids.id(),
      serviceId: service.id,
      name: serviceName(plan.name, 'plan name'),
      label: plan.label ?? plan.name,
      description: plan.description ?? '',
      priceCents: plan.priceCents ?? 0,
      limits: plan.limits ?? noLimits,
      attributes: plan.attributes ?? {},
      position,
      createdAt: clock.now(),
    }));
  }
}

const aboutTeam = ({ teamId }: Service): { teamId?: string } => (teamId === null ? {} : { teamId });

function checkManifest(manifest: ServiceManifest): void {
  checkUrl('base_url', manifest.baseUrl);
  if (manifest.ssoUrl !== null) checkUrl('sso_url', manifest.ssoUrl);
  if (manifest.username === '' || manifest.username.includes(':'))
    throw invalid('user', 'the user name must not be empty or hold a colon', 'malformed');
  if (manifest.password.reveal().length < PASSWORD_MIN)
    throw invalid('password', `the password needs at least ${PASSWORD_MIN} characters`, 'too-short');
  for (const name of manifest.configNames) configName(name, 'config_vars');
}

function checkUrl(field: string, text: string): void {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !['http:', 'https:'].includes(url.protocol) || url.username !== '' || url.password !== '')
    throw invalid(field, `${field} must be an http or https URL without credentials`, 'malformed');
}
