/** Links (dependencies in the first format): under which name a component reaches which port of which other. */
import type { ComponentDraft, LinkDefinition } from './definition.ts';
import { type Place, quoted } from './place.ts';

const label = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** An alias or component name as a host label: in lower case, with a dash for each character that a host name cannot have. */
export function linkName(text: string, place: Place): string {
  const name = text
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]/g, '-')
    .replaceAll(/^-+|-+$/g, '');
  if (!label.test(name) || name === 'localhost')
    throw place.wrong(`${quoted(text)} cannot be the name of a link: it must be a host name of at most 63 characters`);
  return name;
}

/** Throws where a component has the same link twice, or one name for two targets. */
export function checkLinkNames(links: readonly (LinkDefinition & { readonly place: Place })[]): void {
  const seen = new Map<string, { type: string; ports: Set<number> }>();
  for (const { name, type, port, place } of links) {
    const known = seen.get(name);
    if (known === undefined) {
      seen.set(name, { type, ports: new Set([port]) });
      continue;
    }
    if (known.type !== type) throw place.wrong(`${quoted(name)} is the name of two components: one needs an alias`);
    if (known.ports.has(port)) throw place.wrong(`${quoted(name)} with the port ${port} is given more than once`);
    known.ports.add(port);
  }
}

/** Throws where following links leads back to where they began. */
export function checkNoCircle(components: readonly ComponentDraft[]): void {
  const byType = new Map(components.map((component) => [component.type, component]));
  const state = new Map<string, 'under' | 'done'>();
  const visit = (component: ComponentDraft): void => {
    state.set(component.type, 'under');
    for (const { type, place } of component.links) {
      if (state.get(type) === 'under') throw place.wrong('the components need each other in a circle');
      const target = byType.get(type);
      if (target !== undefined && !state.has(type)) visit(target);
    }
    state.set(component.type, 'done');
  };
  for (const component of components) if (!state.has(component.type)) visit(component);
}
