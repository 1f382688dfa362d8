/** What the variables are called that lead an app to its database. */
import { AddonRefused, type ProviderAddon } from '../../core/ports/addon-provider.ts';

const URL_NAME = 'DATABASE_URL';
const FURTHER_MAX = 5;

/**
 * `DATABASE_URL`, and those of the parameter `url_names`, separated by commas: for apps and tools that look elsewhere. Throws AddonRefused for
 * what no variable can be called.
 */
export function urlNames({ parameters }: Pick<ProviderAddon, 'parameters'>): readonly string[] {
  const further = (parameters.url_names ?? '').split(',').flatMap((name) => (name.trim() === '' ? [] : [name.trim()]));
  if (further.length > FURTHER_MAX || !further.every((name) => /^[A-Za-z_][A-Za-z0-9_]{0,127}$/.test(name)))
    throw new AddonRefused(`url_names must be at most ${FURTHER_MAX} names of variables`);
  return [...new Set([URL_NAME, ...further])];
}
