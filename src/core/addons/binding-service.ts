import type { Actor } from '../access/actor.ts';
import { fetchApp } from '../apps/app-access.ts';
import { releaseConfig } from '../config/release-config.ts';
import { conflict, notFound } from '../errors.ts';
import type { Operation } from '../operations/operation.ts';
import type { CoreContext } from '../ports/core-context.ts';
import type { BindingView } from './addon.ts';
import { type AddonPermission, fetchAddon } from './addon-access.ts';
import { startAddonOperation } from './addon-operation.ts';
import { bindingConfig, setBindingConfig } from './binding-config.ts';
import { prefixOf } from './binding-names.ts';
import { insertBinding } from './new-binding.ts';
import { unbind } from './remove-addon.ts';

export interface BindAddon {
  /** By id, or as `<service>/<name>`. */
  readonly addon: string;
  /** Its name at the app; absent: the add-on's. */
  readonly name?: string;
  /** Before the names of its variables; absent: none, unless they are taken. */
  readonly prefix?: string;
}

const BIND: AddonPermission = { instance: 'service-instance.update.bind', app: 'app.update.bind' };

/** Which apps have which add-ons. An app has its own from their creation; others are bound to it here. */
export class BindingService {
  readonly #context: CoreContext;
  constructor(context: CoreContext) {
    this.#context = context;
  }

  /** Of an app: its own add-ons' and those from elsewhere, oldest first. */
  async list(actor: Actor, app: string): Promise<readonly BindingView[]> {
    const { id } = await fetchApp(this.#context.db, actor, app, 'app.read.info');
    return this.#context.db.bindings.ofApp(id);
  }

  /** Of an add-on: every app that has it, oldest first. */
  async listOfAddon(actor: Actor, reference: string): Promise<readonly BindingView[]> {
    const { db } = this.#context;
    const permission = { instance: 'service-instance.read', app: 'app.read.info' };
    return db.bindings.ofAddon((await fetchAddon(db, actor, reference, permission)).id);
  }

  /** By id, by the binding's name at the app, or by the add-on's id or name. */
  async get(actor: Actor, app: string, reference: string): Promise<BindingView> {
    return find(await this.list(actor, app), reference);
  }

  /** Names of the variables that the app has from it. */
  async variables(actor: Actor, app: string, reference: string): Promise<readonly string[]> {
    const binding = await this.get(actor, app, reference);
    return (await this.#context.db.config.list('addon', binding.id)).map((item) => item.name);
  }

  /**
   * The app gets the variables when the provider has given them, by a release. Needs the permission on the add-on and on the app. Throws
   * conflict `binding-exists`, `binding-name-taken`, `not-shareable`, or `addon-busy` for one that is going or failed.
   */
  async bind(
    actor: Actor,
    appReference: string,
    input: BindAddon,
  ): Promise<{ readonly binding: BindingView; readonly operation: Operation }> {
    const { db } = this.#context;
    const app = await fetchApp(db, actor, appReference, 'app.update.bind');
    const addon = await fetchAddon(db, actor, input.addon, BIND);
    const service = await db.services.find(addon.serviceId);
    if (addon.appId !== null && addon.appId !== app.id && service?.shareable === false)
      throw conflict('not-shareable', `add-ons of ${addon.serviceName} belong to one app`, 'addon');
    const made = await db.transaction(async (stores) => {
      await stores.apps.lock(app.id);
      const locked = await stores.addons.lock(addon.id);
      if (locked === null) throw notFound('addon', input.addon);
      if (locked.state === 'removing' || locked.state === 'failed')
        throw conflict('addon-busy', `the add-on is ${locked.state}`, 'addon');
      await stores.addons.update(addon.id, { changedBy: actor.name });
      const { id } = await insertBinding(this.#context, stores, locked, app, input.name, input.prefix);
      return { id, operation: await startAddonOperation(this.#context, stores, addon, app.id) };
    });
    return { binding: find(await db.bindings.ofApp(app.id), made.id), operation: made.operation };
  }

  /** The app loses the variables at once. The binding of an app's own add-on goes only with the add-on: conflict `own-addon`. */
  async unbind(
    actor: Actor,
    appReference: string,
    reference: string,
  ): Promise<{ readonly binding: BindingView; readonly operation: Operation }> {
    const { db } = this.#context;
    const app = await fetchApp(db, actor, appReference, 'app.update.unbind');
    const operation = await db.transaction(async (stores) => {
      await stores.apps.lock(app.id);
      const binding = find(await stores.bindings.ofApp(app.id), reference);
      const addon = await stores.addons.find(binding.addonId);
      if (addon === null) throw notFound('binding', reference);
      if (addon.appId === app.id)
        throw conflict('own-addon', 'an add-on of the app itself is removed, not detached', 'binding');
      await unbind(this.#context, stores, actor, addon, binding);
      const started = await startAddonOperation(this.#context, stores, addon, app.id);
      return { binding, operation: started };
    });
    return operation;
  }

  /**
   * Makes it the one without a prefix among the app's bindings of its service; the one that was it gets a prefix of its name. A release
   * brings the change. Conflict `binding-not-bound` before its variables are there.
   */
  async promote(actor: Actor, appReference: string, reference: string): Promise<BindingView> {
    const { db, clock } = this.#context;
    const app = await fetchApp(db, actor, appReference, 'app.update.bind');
    const id = await db.transaction(async (stores) => {
      await stores.apps.lock(app.id);
      const all = await stores.bindings.ofApp(app.id);
      const binding = find(all, reference);
      if (binding.state !== 'bound') throw conflict('binding-not-bound', 'the add-on is not bound yet', 'binding');
      if (binding.prefix === '') return binding.id;
      const before = all.find(
        (other) => other.serviceId === binding.serviceId && other.prefix === '' && other.state === 'bound',
      );
      const rename = async (item: BindingView, wanted: string): Promise<void> => {
        const environment = await bindingConfig(stores, item);
        const { prefix } = await setBindingConfig(this.#context, stores, item, environment, wanted);
        await stores.bindings.update(item.id, { prefix, updatedAt: clock.now() });
      };
      if (before !== undefined) await rename(before, prefixOf(before.name));
      await rename(binding, '');
      await releaseConfig(this.#context, stores, actor, app, `Promote ${binding.addonName}`);
      return binding.id;
    });
    return find(await db.bindings.ofApp(app.id), id);
  }
}

function find(bindings: readonly BindingView[], reference: string): BindingView {
  const found = bindings.find(({ id, name, addonId, addonName }) => [id, name, addonId, addonName].includes(reference));
  if (found === undefined) throw notFound('binding', reference);
  return found;
}
