/** A binding's variables in its app's config. Every function is part of the caller's transaction, which holds the app's lock. */
import { configName } from '../names.ts';
import type { CoreContext } from '../ports/core-context.ts';
import type { Stores } from '../ports/database.ts';
import type { Environment } from '../ports/secret.ts';
import type { Binding } from './addon.ts';
import { choosePrefix } from './binding-names.ts';

/** Names that the app has from others than this binding and its space, whose variables any other hides. */
async function takenNames(stores: Stores, binding: Binding): Promise<ReadonlySet<string>> {
  const others = (await stores.bindings.ofApp(binding.appId)).filter((other) => other.id !== binding.id);
  const lists = await Promise.all([
    stores.config.list('app', binding.appId),
    ...others.map((other) => stores.config.list('addon', other.id)),
  ]);
  return new Set(lists.flat().map((item) => item.name));
}

/**
 * Puts the provider's variables in place of those that the binding has. `wanted`: the prefix to try first; null: none. Gives the prefix
 * that was free, and the names as the app sees them.
 */
export async function setBindingConfig(
  context: CoreContext,
  stores: Stores,
  binding: Binding,
  environment: Environment,
  wanted: string | null,
): Promise<{ readonly prefix: string; readonly names: readonly string[] }> {
  const names = Object.keys(environment);
  const prefix = choosePrefix(wanted, binding.name, names, await takenNames(stores, binding));
  const known = await stores.config.list('addon', binding.id);
  await stores.config.remove(
    'addon',
    binding.id,
    known.map((item) => item.name),
  );
  await stores.config.set(
    Object.entries(environment).map(([name, value]) => ({
      source: 'addon' as const,
      ownerId: binding.id,
      name: configName(prefix + name, prefix + name),
      value,
      description: '',
      required: false,
      updatedAt: context.clock.now(),
    })),
  );
  return { prefix, names: names.map((name) => prefix + name) };
}

/** The provider's names and values, as they were before the prefix. */
export async function bindingConfig(stores: Stores, binding: Binding): Promise<Environment> {
  const items = await stores.config.list('addon', binding.id);
  return Object.fromEntries(items.map((item) => [item.name.slice(binding.prefix.length), item.value]));
}

/** Takes them away; gives the names that the app no longer has. */
export async function clearBindingConfig(stores: Stores, binding: Binding): Promise<readonly string[]> {
  const names = (await stores.config.list('addon', binding.id)).map((item) => item.name);
  await stores.config.remove('addon', binding.id, names);
  return names;
}
