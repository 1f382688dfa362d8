import { type Actor, visibility } from '../access/actor.ts';
import { demand } from '../access/authorize.ts';
import { fetchApp } from '../apps/app-access.ts';
import { conflict, invalid, notFound } from '../errors.ts';
import { record } from '../events/record.ts';
import { addonName, type Id } from '../names.ts';
import type { Operation } from '../operations/operation.ts';
import { whenDone } from '../operations/when-done.ts';
import type { AddonProviders } from '../ports/addon-provider.ts';
import type { CoreContext } from '../ports/core-context.ts';
import type { Page, PageRequest } from '../ports/page.ts';
import { Secret } from '../ports/secret.ts';
import type { Plan, ServiceWithPlans } from '../services/service.ts';
import type { Addon, AddonView } from './addon.ts';
import { type AddonPermission, fetchAddon } from './addon-access.ts';
import { aboutAddon, addonData } from './addon-event.ts';
import { startAddonOperation } from './addon-operation.ts';
import { insertBinding } from './new-binding.ts';
import { providerAddon } from './provider-view.ts';
import { removeAddon } from './remove-addon.ts';

export interface CreateAddon {
  /** Service by name or id. */
  readonly service: string;
  /** Plan by name or id. */
  readonly plan: string;
  /** The app that it belongs to and is bound to from the start. */
  readonly app?: string;
  /** For one that belongs to no app: the team's name or id. */
  readonly team?: string;
  /** Unique in the service; absent: one is made. */
  readonly name?: string;
  /** Its name at the app, from which the prefix of its variables is made when theirs are taken; absent: the add-on's name. */
  readonly bindingName?: string;
  /** Before the names of its variables at the app; absent: none, unless they are taken. */
  readonly prefix?: string;
  readonly description?: string;
  readonly tags?: readonly string[];
  /** For the provider. */
  readonly parameters?: Readonly<Record<string, string>>;
}

export interface Started {
  readonly addon: AddonView;
  /** Ends when the provider has done its part; see `whenDone`. */
  readonly operation: Operation;
}

const READ: AddonPermission = { instance: 'service-instance.read', app: 'app.read.info' };
const PLAN: AddonPermission = { instance: 'service-instance.update.plan', app: 'app.update.bind' };
const DELETE: AddonPermission = { instance: 'service-instance.delete', app: 'app.update.unbind' };
const PROXY: AddonPermission = { instance: 'service-instance.update.proxy', app: 'app.update.bind' };

export class AddonService {
  readonly #context: CoreContext;
  readonly #providers: AddonProviders;
  constructor(context: CoreContext, providers: AddonProviders) {
    this.#context = context;
    this.#providers = providers;
  }

  /** What the actor may see, by name. */
  list(
    actor: Actor,
    filter: { readonly service?: Id<'service'>; readonly team?: Id<'team'> },
    page: PageRequest,
  ): Promise<Page<AddonView>> {
    const wanted = {
      ...(filter.service === undefined ? {} : { serviceId: filter.service }),
      ...(filter.team === undefined ? {} : { teamId: filter.team }),
    };
    return this.#context.db.addons.list(visibility(actor, READ.instance), wanted, page);
  }

  /** Those that belong to an app, oldest first. What is bound to it from elsewhere: `BindingService.list`. */
  async listOfApp(actor: Actor, app: string): Promise<readonly AddonView[]> {
    const { id } = await fetchApp(this.#context.db, actor, app, READ.app);
    return this.#context.db.addons.ofApp(id);
  }

  /** By id, or as `<service>/<name>`. */
  get(actor: Actor, reference: string): Promise<AddonView> {
    return fetchAddon(this.#context.db, actor, reference, READ);
  }

  /** One that belongs to the app: by id, name, the provider's name for it, or its name at the app. */
  async getOfApp(actor: Actor, app: string, reference: string): Promise<AddonView> {
    const { db } = this.#context;
    const { id } = await fetchApp(db, actor, app, READ.app);
    const [own, bindings] = await Promise.all([db.addons.ofApp(id), db.bindings.ofApp(id)]);
    const called = bindings.find((binding) => binding.name === reference)?.addonId;
    const found = own.find(
      (addon) => [addon.id, addon.name, addon.resourceId].includes(reference) || addon.id === called,
    );
    if (found === undefined) throw notFound('addon', reference);
    return found;
  }

  /**
   * For an app, or for a team. Needs `app.update.bind` on the app, or `service-instance.create` in the team. Throws conflict `addon-exists`,
   * `service-single` when the app has one of the service and may have no other; not-found for a service or plan.
   */
  async create(actor: Actor, input: CreateAddon): Promise<Started> {
    const { db, clock, ids } = this.#context;
    const app = input.app === undefined ? null : await fetchApp(db, actor, input.app, 'app.update.bind');
    const teamId = app?.teamId ?? (await this.#team(actor, input.team));
    const { service, plan } = await this.#plan(input.service, input.plan);
    const now = clock.now();
    const addon: Addon = {
      id: ids.id(),
      name: addonName(input.name ?? this.#newName(service), 'name'),
      serviceId: service.id,
      planId: plan.id,
      wantedPlanId: null,
      teamId,
      appId: app?.id ?? null,
      state: 'provisioning',
      stateDescription: '',
      resourceId: null,
      overLimit: false,
      description: input.description ?? '',
      tags: input.tags ?? [],
      parameters: input.parameters ?? {},
      createdBy: actor.name,
      changedBy: actor.name,
      createdAt: now,
      updatedAt: now,
      provisionedAt: null,
    };
    const operation = await db.transaction(async (stores) => {
      if (app !== null) {
        const locked = await stores.apps.lock(app.id);
        if (locked === null || locked.deletedAt !== null) throw notFound('app', input.app);
        const same = (await stores.addons.ofApp(app.id)).some((other) => other.serviceId === service.id);
        if (same && !service.multiple)
          throw conflict('service-single', `the app has an add-on of ${service.name} already`, 'addon');
      }
      await stores.addons.insert(addon, new Secret(ids.token(32)));
      if (app !== null) await insertBinding(this.#context, stores, addon, app, input.bindingName, input.prefix);
      await record(this.#context, stores, actor, 'AddonCreated', aboutAddon(addon, app), {
        ...addonData({ ...addon, serviceName: service.name, serviceLabel: service.label, planName: plan.name }),
      });
      return startAddonOperation(this.#context, stores, addon);
    });
    return this.#started(addon.id, operation);
  }

  /** Throws conflict `same-plan`, or `addon-busy` while it is not running. The add-on goes on serving under the old plan meanwhile. */
  async upgrade(actor: Actor, reference: string, planReference: string): Promise<Started> {
    const { db, clock } = this.#context;
    const addon = await fetchAddon(db, actor, reference, PLAN);
    const { plan } = await this.#plan(addon.serviceId, planReference);
    const operation = await db.transaction(async (stores) => {
      const locked = await stores.addons.lock(addon.id);
      if (locked === null) throw notFound('addon', reference);
      if (locked.state !== 'running' || locked.wantedPlanId !== null)
        throw conflict(
          'addon-busy',
          `the add-on is ${locked.wantedPlanId === null ? locked.state : 'changing its plan'}`,
          'addon',
        );
      if (locked.planId === plan.id) throw conflict('same-plan', 'the add-on has this plan already', 'addon');
      await stores.addons.update(addon.id, { wantedPlanId: plan.id, changedBy: actor.name, updatedAt: clock.now() });
      return startAddonOperation(this.#context, stores, addon);
    });
    return this.#started(addon.id, operation);
  }

  /** What is said about it; needs `service-instance.update.description` and `.tags` for what changes. */
  async update(
    actor: Actor,
    reference: string,
    change: { readonly description?: string; readonly tags?: readonly string[] },
  ): Promise<AddonView> {
    const { db, clock } = this.#context;
    const part = change.tags === undefined ? 'description' : 'tags';
    const addon = await fetchAddon(db, actor, reference, {
      instance: `service-instance.update.${part}`,
      app: 'app.update.bind',
    });
    await db.transaction(async (stores) => {
      await stores.addons.update(addon.id, { ...change, updatedAt: clock.now() });
      const about = aboutAddon(addon, addon.appId === null ? null : await stores.apps.findAny(addon.appId));
      await record(this.#context, stores, actor, 'AddonUpdated', about, {
        ...addonData(addon),
        changed: Object.keys(change),
      });
    });
    return this.get(actor, addon.id);
  }

  /**
   * The apps lose its variables at once, by releases; then its provider removes it. Throws conflict `addon-attached` while it is bound to an
   * app that it does not belong to, unless `force`.
   */
  async remove(actor: Actor, reference: string, options: { readonly force?: boolean } = {}): Promise<Started> {
    const { db } = this.#context;
    const addon = await fetchAddon(db, actor, reference, DELETE);
    const operation = await db.transaction((stores) =>
      removeAddon(this.#context, stores, actor, addon, { force: options.force ?? false }),
    );
    return this.#started(addon.id, operation, addon);
  }

  /** Where to send a person to be signed in at the provider. Throws conflict `no-sso` when there is no such place. */
  async sso(actor: Actor, reference: string): Promise<{ readonly addon: AddonView; readonly url: string }> {
    const { db, clock } = this.#context;
    const addon = await fetchAddon(db, actor, reference, PROXY);
    const { provider, request } = await providerAddon(db, this.#providers, addon);
    const place = addon.resourceId === null ? null : await provider.sso(request, clock.now());
    if (place === null) throw conflict('no-sso', `${addon.serviceLabel} has no place to sign in to`, 'addon');
    return { addon, url: place.url };
  }

  /** The operation once it has ended, or as it is after `timeoutMs`. */
  whenDone(operation: Operation, timeoutMs: number): Promise<Operation> {
    return whenDone(this.#context.db.operations, operation, timeoutMs);
  }

  async #team(actor: Actor, reference: string | undefined): Promise<Id<'team'>> {
    if (reference === undefined) throw invalid('team', 'an add-on needs an app or a team', 'missing');
    const team = await this.#context.db.teams.find(reference);
    if (team === null) throw notFound('team', reference);
    demand(actor, 'service-instance.create', { teamId: team.id });
    return team.id;
  }

  async #plan(service: string, reference: string): Promise<{ service: ServiceWithPlans; plan: Plan }> {
    const found = await this.#context.db.services.find(service);
    if (found === null) throw notFound('service', service);
    const plan = found.plans.find((item) => item.id === reference || item.name === reference);
    if (plan === undefined) throw notFound('plan', reference);
    return { service: found, plan };
  }

  #newName(service: ServiceWithPlans): string {
    const word = service.name.replaceAll(/[^A-Za-z0-9]+/g, '-').replace(/^[^A-Za-z]+/, '');
    return `${word || 'addon'}-${this.#context.ids.token(4)}`.slice(0, 63);
  }

  async #started(id: Id<'addon'>, operation: Operation, known?: AddonView): Promise<Started> {
    const addon = (await this.#context.db.addons.find(id)) ?? known;
    if (addon === undefined) throw notFound('addon', id);
    return { addon, operation };
  }
}
