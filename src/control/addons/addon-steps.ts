/**
 * Makes one add-on as its rows say, one step after the other: provisioned, on the wanted plan, bound where it should be, gone. Each step
 * is said to the provider first and written down after; both may happen again, since a provider's verbs are idempotent.
 */
import { systemActor } from '../../core/access/actor.ts';
import type { AddonView, BindingView } from '../../core/addons/addon.ts';
import { aboutAddon, addonData } from '../../core/addons/addon-event.ts';
import { setBindingConfig } from '../../core/addons/binding-config.ts';
import { providerAddon } from '../../core/addons/provider-view.ts';
import { releaseConfig } from '../../core/config/release-config.ts';
import type { EventKind } from '../../core/events/event.ts';
import { record } from '../../core/events/record.ts';
import type { Stores } from '../../core/ports/database.ts';
import type { AddonContext } from '../control-context.ts';
import { noteInAppLog } from '../reconciler/app-log.ts';

export class AddonSteps {
  readonly #context: AddonContext;
  constructor(context: AddonContext) {
    this.#context = context;
  }

  /** True when all is as it should be; false when the provider is not ready yet. Throws AddonRefused, or whatever went wrong. */
  async converge(addonId: string, signal: AbortSignal): Promise<boolean> {
    const { db } = this.#context;
    for (;;) {
      signal.throwIfAborted();
      const addon = await db.addons.find(addonId);
      if (addon === null) return true;
      if (addon.state === 'provisioning') {
        if (!(await this.#provision(addon, signal))) return false;
        continue;
      }
      if (addon.wantedPlanId !== null && addon.state === 'running') {
        await this.#changePlan(addon, addon.wantedPlanId, signal);
        continue;
      }
      const bindings = await db.bindings.ofAddon(addonId);
      const leaving = bindings.find((binding) => binding.state === 'unbinding');
      const coming = addon.state === 'running' ? bindings.find((binding) => binding.state === 'binding') : undefined;
      if (leaving !== undefined) await this.#unbind(addon, leaving, signal);
      else if (coming !== undefined) await this.#bind(addon, coming, signal);
      else if (addon.state === 'removing') await this.#deprovision(addon, signal);
      else return true;
    }
  }

  /** Writes down that the operation was given up; what had been wanted is no longer. */
  async failed(addonId: string, message: string): Promise<void> {
    const { db, clock } = this.#context;
    const addon = await db.addons.find(addonId);
    if (addon === null) return;
    const now = clock.now();
    await db.transaction(async (stores) => {
      const locked = await stores.addons.lock(addonId);
      if (locked === null) return;
      const what =
        locked.state === 'provisioning'
          ? 'creation'
          : locked.state === 'removing'
            ? 'removal'
            : locked.wantedPlanId === null
              ? 'binding'
              : 'upgrade';
      await stores.addons.update(addonId, {
        state: locked.state === 'provisioning' ? 'failed' : locked.state,
        wantedPlanId: null,
        stateDescription: message,
        updatedAt: now,
      });
      for (const binding of await stores.bindings.ofAddon(addonId)) {
        if (binding.state === 'binding')
          await stores.bindings.update(binding.id, { state: 'failed', stateDescription: message, updatedAt: now });
      }
      await this.#record(stores, addon, 'AddonFailed', { what, message });
    });
    await this.#note(addon, `Add-on ${addon.name} failed: ${message}`);
  }

  async #provision(addon: AddonView, signal: AbortSignal): Promise<boolean> {
    const { db, clock } = this.#context;
    const { provider, request } = await this.#provider(addon);
    const made = await provider.provision(request, signal);
    const now = clock.now();
    await db.transaction(async (stores) => {
      const locked = await stores.addons.lock(addon.id);
      if (locked === null) return;
      // It may have been told to go meanwhile; what the provider calls it is needed for that too.
      const ready = made.ready && locked.state === 'provisioning';
      // The provider may have called us meanwhile: what it said then is newer.
      const called = (await stores.addons.credentials(addon.id))?.config ?? {};
      await stores.addons.setConfig(addon.id, { ...made.config, ...called });
      await stores.addons.update(addon.id, {
        resourceId: made.resourceId,
        stateDescription: made.message,
        updatedAt: now,
        ...(ready ? { state: 'running' as const, provisionedAt: now } : {}),
      });
      if (ready) await this.#record(stores, { ...addon, resourceId: made.resourceId }, 'AddonReady', {});
    });
    if (made.ready) await this.#note(addon, `Add-on ${addon.name} (${addon.serviceName}:${addon.planName}) is ready`);
    return made.ready;
  }

  async #changePlan(addon: AddonView, planId: string, signal: AbortSignal): Promise<void> {
    const { db, clock } = this.#context;
    const { provider, request } = await this.#provider(addon, planId);
    const { message, config } = await provider.changePlan(request, signal);
    const done = await db.transaction(async (stores) => {
      for (const { appId } of await stores.bindings.ofAddon(addon.id)) await stores.apps.lock(appId);
      const locked = await stores.addons.lock(addon.id);
      if (locked === null || locked.wantedPlanId !== planId) return false;
      await stores.addons.update(addon.id, {
        planId,
        wantedPlanId: null,
        stateDescription: message,
        updatedAt: clock.now(),
      });
      if (config !== null) await stores.addons.setConfig(addon.id, config);
      const after = { ...addon, planName: request.plan.name };
      await this.#record(stores, after, 'AddonUpgraded', { oldPlan: addon.planName });
      // Bound again, with what the new plan gives.
      if (config === null) return true;
      for (const binding of await stores.bindings.ofAddon(addon.id)) {
        if (binding.state === 'bound') await stores.bindings.update(binding.id, { state: 'binding' });
      }
      return true;
    });
    if (done) await this.#note(addon, `Add-on ${addon.name} has the plan ${request.plan.name} now`);
  }

  async #bind(addon: AddonView, binding: BindingView, signal: AbortSignal): Promise<void> {
    const { db, clock } = this.#context;
    const { provider, request } = await this.#provider(addon);
    const app = { id: binding.appId, handle: binding.appHandle };
    const environment = await provider.bind(request, { bindingId: binding.id, app }, signal);
    await db.transaction(async (stores) => {
      const owner = await stores.apps.lock(binding.appId);
      const current = await stores.bindings.find(binding.id);
      if (owner === null || owner.deletedAt !== null || current?.state !== 'binding') return;
      const before = await stores.config.resolve(owner.id);
      const { prefix, names } = await setBindingConfig(this.#context, stores, current, environment, current.prefix);
      await stores.bindings.update(binding.id, {
        state: 'bound',
        stateDescription: '',
        prefix,
        updatedAt: clock.now(),
      });
      await this.#record(stores, addon, 'BindingAdded', { binding: binding.name, variables: names }, owner);
      const after = await stores.config.resolve(owner.id);
      if (names.every((name) => before[name]?.reveal() === after[name]?.reveal())) return;
      const actor = { name: addon.changedBy, userId: null };
      await releaseConfig(this.#context, stores, actor, owner, `Attach ${addon.name}`);
    });
  }

  async #unbind(addon: AddonView, binding: BindingView, signal: AbortSignal): Promise<void> {
    if (addon.resourceId !== null) {
      const { provider, request } = await this.#provider(addon);
      const app = { id: binding.appId, handle: binding.appHandle };
      await provider.unbind(request, { bindingId: binding.id, app }, signal);
    }
    await this.#context.db.bindings.remove(binding.id);
  }

  async #deprovision(addon: AddonView, signal: AbortSignal): Promise<void> {
    const { provider, request } = await this.#provider(addon);
    await provider.deprovision(request, signal);
    await this.#context.db.transaction(async (stores) => {
      await stores.addons.lock(addon.id);
      for (const binding of await stores.bindings.ofAddon(addon.id)) await stores.bindings.remove(binding.id);
      await stores.addons.remove(addon.id);
    });
    await this.#note(addon, `Add-on ${addon.name} is gone`);
  }

  #provider(addon: AddonView, planId = addon.planId): ReturnType<typeof providerAddon> {
    const { db, addonProviders } = this.#context;
    return providerAddon(db, addonProviders, addon, planId);
  }

  async #record(
    stores: Stores,
    addon: AddonView,
    kind: EventKind,
    data: Readonly<Record<string, unknown>>,
    about?: Parameters<typeof aboutAddon>[1],
  ): Promise<void> {
    const app = about ?? (addon.appId === null ? null : await stores.apps.findAny(addon.appId));
    const actor = addon.changedBy === '' ? systemActor : { name: addon.changedBy, userId: null };
    await record(this.#context, stores, actor, kind, aboutAddon(addon, app), { ...addonData(addon), ...data });
  }

  async #note(addon: AddonView, text: string): Promise<void> {
    const { db } = this.#context;
    const app = addon.appId === null ? null : await db.apps.findAny(addon.appId);
    if (app !== null && app.deletedAt === null) await noteInAppLog(this.#context, app.id, text);
  }
}
