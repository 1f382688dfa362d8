/** The types of events that this platform tells of, as `/event_types` lists them. */
import { derivedId } from '../ids.ts';

const categories = [
  { name: 'app_operations', display_name: 'App operations' },
  { name: 'deployments', display_name: 'Deployments' },
  { name: 'environment', display_name: 'Environment' },
  { name: 'addons', display_name: 'Addons' },
  { name: 'domains', display_name: 'Domains' },
  { name: 'collaboration', display_name: 'Collaboration' },
  { name: 'account', display_name: 'Account' },
] as const;

type Category = (typeof categories)[number]['name'];

const types = {
  new_app: ['app_operations', 'The application has been created'],
  rename_app: ['app_operations', 'The application has another name'],
  transfer_app: ['app_operations', 'The application has another owner'],
  delete_app: ['app_operations', 'The application has been deleted'],
  restart: ['app_operations', 'Containers have been restarted'],
  scale: ['app_operations', 'The amount or the size of containers has changed'],
  stop_app: ['app_operations', 'The application has been stopped'],
  crash: ['app_operations', 'A container has crashed'],
  run: ['app_operations', 'A one-off container has been started'],
  deployment: ['deployments', 'A deployment has ended'],
  new_variable: ['environment', 'A variable has been added'],
  edit_variable: ['environment', 'A variable has been changed'],
  edit_variables: ['environment', 'Several variables have been changed'],
  delete_variable: ['environment', 'A variable has been removed'],
  new_addon: ['addons', 'An addon has been provisioned'],
  upgrade_addon: ['addons', 'An addon has another plan'],
  delete_addon: ['addons', 'An addon has been removed'],
  new_domain: ['domains', 'A domain has been added'],
  edit_domain: ['domains', 'The certificate of a domain has changed'],
  delete_domain: ['domains', 'A domain has been removed'],
  new_collaborator: ['collaboration', 'Somebody has been invited'],
  accept_collaborator: ['collaboration', 'An invitation has been accepted'],
  delete_collaborator: ['collaboration', 'A collaborator has been removed'],
  new_key: ['account', 'An SSH key has been added'],
  delete_key: ['account', 'An SSH key has been removed'],
} as const satisfies Readonly<Record<string, readonly [Category, string]>>;

export type EventType = keyof typeof types;

const categoryId = (name: Category): string => derivedId('event category', name);

export const eventCategories = categories.map((category, index) => ({
  id: categoryId(category.name),
  ...category,
  position: index + 1,
}));

export const eventTypes = Object.entries(types).map(([name, [category, description]]) => ({
  id: derivedId('event type', name),
  category_id: categoryId(category),
  name,
  display_name: titleOf(name),
  description,
  template: '',
}));

/** `new_app` → `New app`. */
function titleOf(name: string): string {
  const words = name.replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}
