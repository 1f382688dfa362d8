/** The manifest by which a provider's service is registered: flat as this API's documents have it, or with `api`, as Heroku's. */
import { Secret } from '../../../core/ports/secret.ts';
import type { NewPlan, RegisterService } from '../../../core/services/catalogue-service.ts';
import { unprocessable } from '../errors.ts';
import { type Fields, isObject, needed, said } from '../fields.ts';

const CENTS = 100;
const PRICE_MAX = 1_000_000;

/** Throws 422 for what is missing or of a wrong type; what values may be is the core's to say. */
export function readManifest(fields: Fields): RegisterService {
  const api: Fields = isObject(fields.api) ? { ...fields, ...fields.api } : fields;
  const production = api.production;
  if (!isObject(production)) throw unprocessable('production', 'missing field');
  const label = needed(fields, 'name');
  const [logoUrl, shortDescription, description] = [
    said(fields, 'logo_url'),
    said(fields, 'short_description'),
    said(fields, 'description'),
  ];
  const [category, providerName, providerUrl] = [
    said(fields, 'category'),
    said(fields, 'provider_name'),
    said(fields, 'provider_url'),
  ];
  return {
    name: said(fields, 'id') ?? slugOf(label),
    label,
    ...(logoUrl === undefined ? {} : { logoUrl }),
    ...(shortDescription === undefined ? {} : { shortDescription }),
    ...(description === undefined ? {} : { description }),
    ...(category === undefined ? {} : { category: category.toLowerCase() }),
    ...(providerName === undefined ? {} : { providerName }),
    ...(providerUrl === undefined ? {} : { providerUrl }),
    plans: plansInput(fields.plans),
    manifest: {
      baseUrl: needed(production, 'base_url'),
      ssoUrl: said(production, 'sso_url') ?? null,
      // Heroku's has none: there it is the service's id.
      username: said(api, 'username') ?? said(api, 'user') ?? needed(fields, 'id'),
      password: new Secret(needed(api, 'password')),
      ssoSalt: new Secret(needed(api, 'sso_salt')),
      configNames: namesInput(api.config_vars),
    },
  };
}

/** `Example Addon` → `example-addon`. */
const slugOf = (label: string): string =>
  label
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '');

function plansInput(plans: unknown): readonly NewPlan[] {
  if (!Array.isArray(plans)) throw unprocessable('plans', 'missing field');
  return plans.map((plan: unknown) => {
    if (!isObject(plan)) throw unprocessable('plans', 'should be a list of objects');
    const [label, description] = [said(plan, 'display_name'), said(plan, 'description')];
    return {
      name: needed(plan, 'name'),
      priceCents: priceInput(plan.price),
      ...(label === undefined ? {} : { label }),
      ...(description === undefined ? {} : { description }),
    };
  });
}

/** Euros for thirty days, as cents. */
function priceInput(price: unknown): number {
  if (price === undefined || price === null) return 0;
  if (typeof price !== 'number' || !(price >= 0 && price <= PRICE_MAX))
    throw unprocessable('price', `should be a number between 0 and ${PRICE_MAX}`);
  return Math.round(price * CENTS);
}

function namesInput(names: unknown): readonly string[] {
  if (!Array.isArray(names) || names.length === 0 || !names.every((name): name is string => typeof name === 'string'))
    throw unprocessable('config_vars', 'should be a list with at least one name of a variable');
  return names;
}
