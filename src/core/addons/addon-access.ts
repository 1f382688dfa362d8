/** The one door to an add-on for every service: by (actor, reference), with the permission checked. */
import { type Actor, can } from '../access/actor.ts';
import { demand } from '../access/authorize.ts';
import { placeOf } from '../apps/app-access.ts';
import { notFound } from '../errors.ts';
import { isId } from '../names.ts';
import type { Permission } from '../permissions.ts';
import type { Stores } from '../ports/database.ts';
import type { AddonView } from './addon.ts';

/**
 * What an act on an add-on needs: the first in the add-on's team, or, for one that belongs to an app, the second on that app. So whoever
 * may change an app's bindings may change the add-ons that are its own.
 */
export interface AddonPermission {
  readonly instance: Permission;
  readonly app: Permission;
}

const READ: AddonPermission = { instance: 'service-instance.read', app: 'app.read.info' };

/** `addonId`, or `<service>/<name>`. Throws `not-found` for one that the actor may not read, `forbidden` without the permission. */
export async function fetchAddon(
  stores: Stores,
  actor: Actor,
  reference: string,
  permission: AddonPermission,
): Promise<AddonView> {
  const addon = await findAddon(stores, reference);
  if (addon === null) throw notFound('addon', reference);
  await demandAddon(stores, actor, addon, reference, permission);
  return addon;
}

async function findAddon(stores: Stores, reference: string): Promise<AddonView | null> {
  if (isId(reference)) return stores.addons.find(reference);
  const [service, name, ...more] = reference.split('/');
  if (service === undefined || name === undefined || more.length > 0) return null;
  const found = await stores.services.find(service);
  return found === null ? null : stores.addons.findByName(found.id, name);
}

export async function demandAddon(
  stores: Stores,
  actor: Actor,
  addon: AddonView,
  reference: string,
  permission: AddonPermission,
): Promise<void> {
  const place = { teamId: addon.teamId, addonId: addon.id };
  const owner = addon.appId === null ? null : await stores.apps.findAny(addon.appId);
  const may = (asked: AddonPermission): boolean =>
    can(actor, asked.instance, place) || (owner !== null && can(actor, asked.app, placeOf(owner)));
  if (may(permission)) return;
  if (!may(READ)) throw notFound('addon', reference);
  demand(actor, permission.instance, place);
}
