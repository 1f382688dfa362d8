/** Services and plans as this API shows them. A provider's id is the service's name, as in `addons-add postgresql`. */
import { shortId } from '../../../core/names.ts';
import type { Plan, ServiceWithPlans } from '../../../core/services/service.ts';
import { derivedId } from '../ids.ts';

const CENTS = 100;

export const planShape = (plan: Plan) => ({
  id: shortId(plan.id),
  name: plan.name,
  display_name: plan.label,
  /** In euros, for thirty days. */
  price: plan.priceCents / CENTS,
  description: plan.description,
  short_description: plan.description,
  logo_url: '',
  position: plan.position + 1,
  on_demand: false,
  disabled: false,
  disabled_alternative_plan_id: null,
  hds_available: false,
});

/** As an add-on shows whose it is. */
export const providerSummary = (service: Pick<ServiceWithPlans, 'name' | 'label' | 'logoUrl'>) => ({
  id: service.name,
  name: service.label,
  logo_url: service.logoUrl ?? '',
});

export const providerShape = (service: ServiceWithPlans) => ({
  ...providerSummary(service),
  short_description: service.shortDescription,
  description: service.description,
  category: categoryShape(service.category),
  provider_name: service.providerName,
  provider_url: service.providerUrl ?? '',
  hds_available: false,
  plans: service.plans.map((plan) => ({ ...planShape(plan), logo_url: service.logoUrl ?? '' })),
});

/** A category is no more than a word that services have. */
export const categoryShape = (category: string, position = 1) => ({
  id: derivedId('addon category', category),
  name: category.charAt(0).toUpperCase() + category.slice(1),
  description: '',
  position,
});
