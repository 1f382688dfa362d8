import { LoginLimiter } from '../access/login-limiter.ts';
import { releaseConfig } from '../config/release-config.ts';
import { invalid, notFound, unauthenticated } from '../errors.ts';
import { record } from '../events/record.ts';
import { configName, isId } from '../names.ts';
import type { CoreContext } from '../ports/core-context.ts';
import type { Stores } from '../ports/database.ts';
import type { Page, PageRequest } from '../ports/page.ts';
import { type Environment, Secret } from '../ports/secret.ts';
import type { Service } from '../services/service.ts';
import type { AddonView, BindingView } from './addon.ts';
import { startAddonOperation } from './addon-operation.ts';
import { setBindingConfig } from './binding-config.ts';

/** What a provider may see of an add-on of its service. */
export interface ProvidedAddon {
  readonly addon: AddonView;
  /** Of whom its team belongs to; '' when nobody is in it. */
  readonly ownerEmail: string;
  readonly config: Environment;
}

const VALUE_MAX_BYTES = 64 * 1024;

/** For the providers of services that were registered by manifest: they sign in with its user and password and see only their add-ons. */
export class ProviderCallbacks {
  readonly #context: CoreContext;
  readonly #limiter: LoginLimiter;
  constructor(context: CoreContext) {
    this.#context = context;
    this.#limiter = new LoginLimiter(context.clock);
  }

  /** Throws `unauthenticated`; `rate-limited` after too many wrong ones from `address` or for the user. */
  async signIn(username: string, password: Secret, address: string): Promise<Service> {
    const { db, box } = this.#context;
    const keys = [`provider:${username}`, `address:${address}`];
    this.#limiter.check(keys);
    const service = await db.services.findByManifestUser(username);
    const manifest = service === null ? null : await db.services.findManifest(service.id);
    // Digests of the same length take the same time to compare, and a missing service as long as a wrong password.
    const given = box.digest(`provider ${password.reveal()}`);
    const expected = box.digest(`provider ${manifest?.password.reveal() ?? ''}`);
    if (service === null || manifest === null || given !== expected) {
      this.#limiter.failed(keys);
      throw unauthenticated();
    }
    this.#limiter.succeeded(keys);
    return service;
  }

  /** The service's add-ons, by name. */
  list(service: Service, page: PageRequest): Promise<Page<AddonView>> {
    return this.#context.db.addons.list('all', { serviceId: service.id }, page);
  }

  /** By our id, by the provider's own, or by the id of the app that it belongs to (of several add-ons there the oldest). */
  async get(service: Service, reference: string): Promise<ProvidedAddon> {
    const { db } = this.#context;
    const addon = await this.#find(service, reference);
    const [owners, credentials] = await Promise.all([db.teams.owners([addon.teamId]), db.addons.credentials(addon.id)]);
    return { addon, ownerEmail: owners.get(addon.teamId)?.email ?? '', config: credentials?.config ?? {} };
  }

  /**
   * Changes the add-on's variables (null removes one) in every app that has it; the apps get a release with them. Throws invalid
   * `unknown-variable` for a name that the manifest does not list.
   */
  async updateConfig(
    service: Service,
    reference: string,
    change: Readonly<Record<string, string | null>>,
  ): Promise<ProvidedAddon> {
    const { db } = this.#context;
    const { id } = await this.#find(service, reference);
    const allowed = (await db.services.findManifest(service.id))?.configNames ?? [];
    for (const [name, value] of Object.entries(change)) checkVariable(name, value, allowed);
    await db.transaction(async (stores) => {
      const bindings = await stores.bindings.ofAddon(id);
      for (const appId of bindings.map((binding) => binding.appId).sort()) await stores.apps.lock(appId);
      const addon = (await stores.addons.lock(id)) === null ? null : await stores.addons.find(id);
      if (addon === null || addon.state === 'removing') throw notFound('addon', reference);
      const known = (await stores.addons.credentials(id))?.config ?? {};
      const config = merged(known, change);
      await stores.addons.setConfig(id, config);
      for (const binding of bindings) await this.#apply(stores, service, addon, binding, known, config);
      // One that was still being made may be ready by this.
      if (addon.state === 'provisioning') await startAddonOperation(this.#context, stores, addon);
    });
    return this.get(service, id);
  }

  async #find(service: Service, reference: string): Promise<AddonView> {
    const { db } = this.#context;
    const ofApp = isId(reference) ? await db.addons.ofApp(reference) : [];
    const readings = [
      isId(reference) ? await db.addons.find(reference) : null,
      await db.addons.findByResource(service.id, reference),
      ...ofApp,
    ];
    const addon = readings.find((found) => found?.serviceId === service.id);
    if (addon == null) throw notFound('addon', reference);
    return addon;
  }

  async #apply(
    stores: Stores,
    service: Service,
    addon: AddonView,
    binding: BindingView,
    before: Environment,
    config: Environment,
  ): Promise<void> {
    const app = await stores.apps.findAny(binding.appId);
    if (binding.state !== 'bound' || app === null || app.deletedAt !== null) return;
    const actor = { name: service.providerName, userId: null };
    const { prefix } = await setBindingConfig(this.#context, stores, binding, config, binding.prefix);
    await stores.bindings.update(binding.id, { prefix, updatedAt: this.#context.clock.now() });
    const about = { addon: addon.name, service: addon.serviceName, serviceLabel: addon.serviceLabel, byProvider: true };
    await record(
      this.#context,
      stores,
      actor,
      'ConfigChanged',
      { app },
      { ...about, ...changedNames(before, config, prefix) },
    );
    const title = `Update of ${addon.name} by ${service.providerName}`;
    const release = await releaseConfig(this.#context, stores, actor, app, title);
    if (release !== null) await record(this.#context, stores, actor, 'AppRestarted', { app }, about);
  }
}

/** As the app sees them, by its names for them. */
function changedNames(before: Environment, after: Environment, prefix: string): Readonly<Record<string, string[]>> {
  const set = Object.keys(after).filter((name) => before[name]?.reveal() !== after[name]?.reveal());
  const shown = (names: readonly string[]): string[] => names.map((name) => prefix + name);
  return {
    set: shown(set),
    added: shown(set.filter((name) => !Object.hasOwn(before, name))),
    removed: shown(Object.keys(before).filter((name) => !Object.hasOwn(after, name))),
  };
}

function checkVariable(name: string, value: string | null, allowed: readonly string[]): void {
  configName(name, name);
  if (allowed.length > 0 && !allowed.includes(name))
    throw invalid(name, `the service's manifest does not name ${name}`, 'unknown-variable');
  if (value === null) return;
  if (value.includes('\0')) throw invalid(name, `the value of ${name} holds a NUL character`, 'malformed');
  if (Buffer.byteLength(value) > VALUE_MAX_BYTES)
    throw invalid(name, `the value of ${name} is larger than ${VALUE_MAX_BYTES} bytes`, 'too-long');
}

function merged(known: Environment, change: Readonly<Record<string, string | null>>): Environment {
  const kept = Object.entries(known).filter(([name]) => !(name in change));
  const set = Object.entries(change).flatMap(([name, value]) => (value === null ? [] : [[name, new Secret(value)]]));
  return Object.fromEntries([...kept, ...set]) as Environment;
}
