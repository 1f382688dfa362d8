import { unavailable } from '../errors.ts';
import type { AddonProvider, AddonProviders, ProviderAddon, ProviderApp } from '../ports/addon-provider.ts';
import type { Stores } from '../ports/database.ts';
import type { AddonView } from './addon.ts';

/** The provider of an add-on, and the add-on as providers see it; `planId` when it is not the plan that it has. */
export async function providerAddon(
  stores: Stores,
  providers: AddonProviders,
  addon: AddonView,
  planId = addon.planId,
): Promise<{ readonly provider: AddonProvider; readonly request: ProviderAddon }> {
  const [service, manifest, credentials, owner] = await Promise.all([
    stores.services.find(addon.serviceId),
    stores.services.findManifest(addon.serviceId),
    stores.addons.credentials(addon.id),
    addon.appId === null ? null : ownerApp(stores, addon.appId),
  ]);
  const plan = service?.plans.find((item) => item.id === planId);
  const provider = service === null ? undefined : providers[service.provider];
  if (provider === undefined) throw unavailable(`nothing here provides ${addon.serviceLabel}`);
  if (service === null || plan === undefined || credentials === null)
    throw new Error(`add-on ${addon.id} has lost its rows`);
  return {
    provider,
    request: {
      addonId: addon.id,
      name: addon.name,
      secret: credentials.secret,
      resourceId: addon.resourceId,
      config: credentials.config,
      plan: { name: plan.name, limits: plan.limits },
      service: { name: service.name, manifest },
      teamName: addon.teamName,
      parameters: addon.parameters,
      ownerApp: owner,
    },
  };
}

async function ownerApp(stores: Stores, appId: string): Promise<ProviderApp | null> {
  const app = await stores.apps.findAny(appId);
  return app === null ? null : { id: app.id, handle: app.handle };
}
