import type { Actor } from '../access/actor.ts';
import { releaseConfig } from '../config/release-config.ts';
import { conflict, notFound } from '../errors.ts';
import { record } from '../events/record.ts';
import type { Operation } from '../operations/operation.ts';
import type { CoreContext } from '../ports/core-context.ts';
import type { Stores } from '../ports/database.ts';
import type { AddonView, BindingView } from './addon.ts';
import { aboutAddon, addonData } from './addon-event.ts';
import { startAddonOperation } from './addon-operation.ts';
import { clearBindingConfig } from './binding-config.ts';

/**
 * Takes an add-on from its apps and asks for its removal, in the caller's transaction. Saying it again asks again, which helps after a
 * provider failed. Throws conflict `addon-attached` while another app than its own has it, unless `force`.
 */
export async function removeAddon(
  context: CoreContext,
  stores: Stores,
  actor: Actor,
  addon: AddonView,
  options: { readonly force: boolean; readonly appIsGoing?: boolean },
): Promise<Operation> {
  const bindings = await stores.bindings.ofAddon(addon.id);
  // Apps before add-ons, in one order: two that lock the same never wait for each other.
  for (const appId of bindings.map((binding) => binding.appId).sort()) await stores.apps.lock(appId);
  const locked = await stores.addons.lock(addon.id);
  if (locked === null) throw notFound('addon', addon.name);
  const elsewhere = bindings.filter((binding) => binding.appId !== addon.appId && binding.state !== 'unbinding');
  if (elsewhere.length > 0 && !options.force)
    throw conflict('addon-attached', 'the add-on is bound to other apps', 'addon');
  for (const binding of bindings) {
    const release = !(options.appIsGoing === true && binding.appId === addon.appId);
    await unbind(context, stores, actor, addon, binding, release);
  }
  const again = locked.state === 'removing';
  await stores.addons.update(addon.id, {
    state: 'removing',
    wantedPlanId: null,
    changedBy: actor.name,
    updatedAt: context.clock.now(),
  });
  if (!again) {
    const app = addon.appId === null ? null : await stores.apps.findAny(addon.appId);
    await record(context, stores, actor, 'AddonRemoved', aboutAddon(addon, app), addonData(addon));
  }
  return startAddonOperation(context, stores, addon);
}

/** The app loses the variables now, and its processes by a release; the provider is told by the loop. Wants the app's lock. */
export async function unbind(
  context: CoreContext,
  stores: Stores,
  actor: Pick<Actor, 'name' | 'userId'>,
  addon: AddonView,
  binding: BindingView,
  release = true,
): Promise<void> {
  if (binding.state === 'unbinding') return;
  const names = await clearBindingConfig(stores, binding);
  await stores.bindings.update(binding.id, { state: 'unbinding', updatedAt: context.clock.now() });
  const app = await stores.apps.findAny(binding.appId);
  await record(context, stores, actor, 'BindingRemoved', aboutAddon(addon, app), {
    ...addonData(addon),
    binding: binding.name,
    variables: names,
  });
  if (app === null || app.deletedAt !== null || names.length === 0 || !release) return;
  await releaseConfig(context, stores, actor, app, `Detach ${addon.name}`);
}
