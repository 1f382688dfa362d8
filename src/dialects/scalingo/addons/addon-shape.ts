import type { AddonView } from '../../../core/addons/addon.ts';
import { shortId } from '../../../core/names.ts';
import type { ServiceWithPlans } from '../../../core/services/service.ts';
import { planShape, providerSummary } from './catalogue-shape.ts';

/** `service`: the one that it is of. */
export function addonShape(addon: AddonView, service: ServiceWithPlans | undefined) {
  const plan = service?.plans.find(({ id }) => id === addon.planId);
  return {
    id: shortId(addon.id),
    app_id: addon.appId === null ? null : shortId(addon.appId),
    resource_id: addon.resourceId ?? '',
    status: statusOf(addon),
    plan:
      plan === undefined
        ? { id: shortId(addon.planId), name: addon.planName, display_name: addon.planLabel, price: 0, description: '' }
        : planShape(plan),
    addon_provider: providerSummary(service ?? { name: addon.serviceName, label: addon.serviceLabel, logoUrl: null }),
    provisioned_at: (addon.provisionedAt ?? addon.createdAt).toISOString(),
    deprovisioned_at: null,
    updated_at: addon.updatedAt.toISOString(),
    hds_resource: false,
  };
}

export type AddonShape = ReturnType<typeof addonShape>;

/** `suspended`: it holds more than its plan allows, and only reads. The last two are of this platform. */
function statusOf({ state, overLimit }: AddonView): string {
  if (state === 'removing') return 'deprovisioning';
  return state === 'running' && overLimit ? 'suspended' : state;
}
