import type { Actor } from '../access/actor.ts';
import type { App } from '../apps/app.ts';
import type { CoreContext } from '../ports/core-context.ts';
import type { Stores } from '../ports/database.ts';
import { startAddonOperation } from './addon-operation.ts';
import { removeAddon, unbind } from './remove-addon.ts';

/**
 * With an app go its add-ons and what was bound to it from elsewhere; part of the transaction that deletes it and holds its lock. Throws
 * conflict `addon-attached` when another app has an add-on of this one.
 */
export async function removeAppAddons(context: CoreContext, stores: Stores, actor: Actor, app: App): Promise<void> {
  for (const addon of await stores.addons.ofApp(app.id))
    await removeAddon(context, stores, actor, addon, { force: false, appIsGoing: true });
  for (const binding of await stores.bindings.ofApp(app.id)) {
    const addon = binding.ownerAppId === app.id ? null : await stores.addons.find(binding.addonId);
    if (addon === null) continue;
    await unbind(context, stores, actor, addon, binding, false);
    await startAddonOperation(context, stores, addon, app.id);
  }
}
