import type { App } from '../apps/app.ts';
import { conflict } from '../errors.ts';
import { addonName, configName } from '../names.ts';
import type { CoreContext } from '../ports/core-context.ts';
import type { Stores } from '../ports/database.ts';
import type { Addon, Binding } from './addon.ts';

/** The row of a binding that is to be made; part of the caller's transaction. Throws conflict `binding-exists`. */
export async function insertBinding(
  context: CoreContext,
  stores: Stores,
  addon: Addon,
  app: Pick<App, 'id' | 'handle'>,
  name: string | undefined,
  prefix: string | undefined,
): Promise<Binding> {
  if (prefix !== undefined && prefix !== '') configName(prefix, 'prefix');
  const now = context.clock.now();
  const binding: Binding = {
    id: context.ids.id(),
    addonId: addon.id,
    appId: app.id,
    appHandle: app.handle,
    name: addonName(name ?? addon.name, 'name'),
    prefix: prefix ?? '',
    state: 'binding',
    stateDescription: '',
    createdAt: now,
    updatedAt: now,
  };
  const there = await stores.bindings.ofApp(app.id);
  if (there.some((other) => other.addonId === addon.id))
    throw conflict('binding-exists', 'the add-on is bound to this app already', 'binding');
  if (there.some((other) => other.name === binding.name))
    throw conflict('binding-name-taken', `the app has a binding named ${binding.name} already`, 'binding');
  await stores.bindings.insert(binding);
  return binding;
}
