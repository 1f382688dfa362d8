/** From a request's body to an application that can be made: which format it is, and the rules that concern several components. */
import { type ComponentDefinition, type DefinitionDraft, maxComponents, type ParsedDefinition } from './definition.ts';
import { checkDomainsOnce } from './domains.ts';
import { objectOf, spelled } from './fields.ts';
import { checkLinkNames, checkNoCircle } from './links.ts';
import { resolveMounts } from './mounts.ts';
import { Place, quoted } from './place.ts';
import { resolvePods } from './pods.ts';
import { resolveScale } from './scale.ts';
import { readV1, v1Keys } from './v1.ts';
import { readV2 } from './v2.ts';

/**
 * Reads a definition in the first format (`app_name`, `services`) or the later one (`components`, or `nodes` as a draft had it), also
 * wrapped as `{"definition": …}`. Variables (`$name`) are the client's business: one that is left is refused where it does not fit.
 * Throws WrongInput, whose path is from the definition's root, and nothing else, whatever the JSON.
 */
export function parseDefinition(body: unknown): ParsedDefinition {
  const root = new Place();
  const definition = unwrapped(body, root);
  const draft = isV2(definition) ? readV2(definition, root) : readV1(definition, root);
  return { ...draft, components: resolved(draft, root) };
}

function unwrapped(body: unknown, root: Place): Readonly<Record<string, unknown>> {
  const given = objectOf(body, root);
  return Object.keys(given).length === 1 && Object.hasOwn(given, 'definition')
    ? objectOf(given.definition, root.at('definition'))
    : given;
}

const v1Names = new Set(v1Keys.required);

/** What has any key of the first format is meant to be that; also what has none of either. */
function isV2(definition: Readonly<Record<string, unknown>>): boolean {
  const keys = Object.keys(definition);
  return (
    !keys.some((key) => v1Names.has(spelled(key, v1Names))) &&
    keys.some((key) => key === 'components' || key === 'nodes' || key === 'name')
  );
}

function resolved(draft: DefinitionDraft, root: Place): readonly ComponentDefinition[] {
  if (draft.components.length > maxComponents) throw root.wrong(`more than ${maxComponents} components`);
  checkTypes(draft);
  checkDomainsOnce(draft.components);
  for (const component of draft.components) checkLinkNames(component.links);
  checkNoCircle(draft.components);
  const pods = resolvePods(draft);
  const mounts = resolveMounts(draft.components);
  return draft.components.map((component) => ({
    service: component.service,
    name: component.name,
    type: component.type,
    place: component.place,
    path: component.place.path,
    image: component.image,
    entrypoint: component.entrypoint,
    args: component.args,
    env: component.env,
    ports: component.ports,
    domains: component.domains,
    mounts: mounts.get(component.key) ?? [],
    links: component.links.map(({ name, type, port }) => ({ name, type, port })),
    pod: component.pod,
    ...resolveScale(component, component.pod === null ? [] : (pods.get(component.pod) ?? [])),
  }));
}

/** In the later format a root component `a` and its child `a/a` are the same to who asks by service and component. */
function checkTypes(draft: DefinitionDraft): void {
  const seen = new Map<string, string>();
  for (const { type, place, key } of draft.components) {
    const other = seen.get(type);
    if (other !== undefined) throw place.wrong(`has the same service and component name as ${quoted(other)}`);
    seen.set(type, key);
  }
}
