/** The format of 2015: `app_name`, services, components. Names are unique where they stand, and dependencies are links. */
import { type PartRules, readParts } from './component.ts';
import {
  type ComponentDraft,
  type DefinitionDraft,
  type JsonObject,
  type JsonValue,
  maxComponents,
  type Scale,
  type ServiceDefinition,
} from './definition.ts';
import { readDomains } from './domains.ts';
import {
  byKey,
  compact,
  type Fields,
  fewOf,
  fieldsOf,
  flagOf,
  type Keys,
  listOf,
  nameOf,
  objectOf,
  optionalText,
  textOf,
} from './fields.ts';
import { linkName } from './links.ts';
import { type Place, quoted } from './place.ts';
import { readPort } from './ports.ts';
import { processTypeOf } from './process-type.ts';
import { checkedRange, readScale } from './scale.ts';

const keys = (required: readonly string[], optional: readonly string[]): Keys => ({
  required,
  optional,
  anySpelling: true,
});
export const v1Keys = keys(['app_name', 'services'], ['public_ports']);
const serviceKeys = keys(['service_name', 'components'], ['public_ports', 'scaling_policy']);
const componentKeys = keys(
  ['component_name', 'image'],
  ['scaling_policy', 'entrypoint', 'ports', 'env', 'volumes', 'args', 'domains', 'dependencies', 'pod'],
);
const scaleKeys = keys([], ['min', 'max']);
const dependencyKeys = keys(['name', 'port'], ['alias', 'same_machine']);

/** What one component says, with its dependencies not yet followed. */
interface Read {
  readonly draft: Omit<ComponentDraft, 'links'>;
  readonly dependencies: readonly Dependency[];
  readonly json: JsonObject;
}
interface Dependency {
  readonly place: Place;
  readonly service: string;
  readonly component: string;
  readonly alias: string | undefined;
  readonly port: number;
  readonly json: JsonObject;
}
interface Service {
  readonly service: ServiceDefinition;
  readonly components: readonly Read[];
  readonly json: JsonObject;
}

export function readV1(body: unknown, place: Place): DefinitionDraft {
  const fields = fieldsOf(body, place, v1Keys);
  const name = nameOf(fields.get('app_name'), place.at('app_name'));
  const services = someOf(fields, 'services', place).map((item, index) =>
    readService(item, place.at('services', index)),
  );
  once(services.map((each, index) => [each.service.name, place.at('services', index, 'service_name')]));
  const read = services.flatMap((each) => each.components);
  const byName = new Map(read.map((each) => [each.draft.key, each.draft]));
  return {
    name,
    format: 'v1',
    definition: compact([
      ['app_name', name],
      ['public_ports', publicPorts(fields, place)],
      ['services', services.map((each) => each.json)],
    ]),
    services: services.map((each) => each.service),
    components: read.map(({ draft, dependencies }) => ({
      ...draft,
      links: dependencies.map((dependency) => follow(dependency, byName)),
    })),
    pods: podsOf(read.map((each) => each.draft)),
  };
}

function readService(value: unknown, place: Place): Service {
  const fields = fieldsOf(value, place, serviceKeys);
  const name = nameOf(fields.get('service_name'), place.at('service_name'));
  const policy = readPolicy(fields, place);
  const components = someOf(fields, 'components', place).map((item, index) =>
    readComponent(item, place.at('components', index), name, policy.scale),
  );
  once(components.map(({ draft }) => [draft.name, draft.place.at('component_name')]));
  return {
    service: { name, ...checkedRange(policy.scale, place.at('scaling_policy')) },
    components,
    json: compact([
      ['service_name', name],
      ['public_ports', publicPorts(fields, place)],
      ['scaling_policy', policy.json],
      ['components', components.map((each) => each.json)],
    ]),
  };
}

function readComponent(value: unknown, place: Place, service: string, inheritedScale: Scale): Read {
  const fields = fieldsOf(value, place, componentKeys);
  const name = nameOf(fields.get('component_name'), place.at('component_name'));
  const rules: PartRules = {
    volumes: { anySpelling: true, shared: false, owner: (owner) => `${service}/${owner}` },
    readDomains,
  };
  const { parts, json } = readParts(fields, place, rules);
  const policy = readPolicy(fields, place);
  const pod = optionalText(fields, 'pod', place);
  const dependencies = fewOf(fields.get('dependencies') ?? [], place.at('dependencies')).map((item, index) =>
    readDependency(item, place.at('dependencies', index), service),
  );
  return {
    draft: {
      ...parts,
      key: `${service}/${name}`,
      service,
      name,
      type: processTypeOf(service, name),
      place,
      pod: pod === undefined ? null : nameOf(pod, place.at('pod')),
      scale: policy.scale,
      inheritedScale,
      scalePlace: place.at('scaling_policy'),
    },
    dependencies,
    json: compact([
      ['component_name', name],
      ['scaling_policy', policy.json],
      ['image', json.image],
      ['entrypoint', json.entrypoint],
      ['ports', json.ports],
      ['env', json.env],
      ['volumes', json.volumes],
      ['args', json.args],
      ['domains', json.domains],
      ['dependencies', dependencies.map((each) => each.json)],
      ['pod', pod],
    ]),
  };
}

function readDependency(value: unknown, place: Place, service: string): Dependency {
  const fields = fieldsOf(value, place, dependencyKeys);
  const name = textOf(fields.get('name'), place.at('name'));
  const parts = name.split('/');
  const [first = '', second] = parts;
  if (parts.length > 2 || parts.includes('')) throw place.at('name').wrong('must be component or service/component');
  const port = readPort(fields.get('port'), place.at('port'));
  const alias = optionalText(fields, 'alias', place);
  return {
    place,
    service: second === undefined ? service : first,
    component: second ?? first,
    alias: alias === undefined ? undefined : nameOf(alias, place.at('alias')),
    port: port.number,
    json: compact([
      ['name', name],
      ['port', port.json],
      ['alias', alias],
      ['same_machine', flagOf(fields, 'same_machine', place)],
    ]),
  };
}

function follow(
  dependency: Dependency,
  byName: ReadonlyMap<string, Omit<ComponentDraft, 'links'>>,
): ComponentDraft['links'][number] {
  const { place, service, component, alias, port } = dependency;
  const target = byName.get(`${service}/${component}`);
  if (target === undefined) throw place.at('name').wrong(`there is no component ${quoted(`${service}/${component}`)}`);
  if (!target.ports.includes(port))
    throw place.at('port').wrong(`the component ${quoted(`${service}/${component}`)} does not have the port ${port}`);
  const name = alias === undefined ? linkName(component, place.at('name')) : linkName(alias, place.at('alias'));
  return { name, type: target.type, port, place };
}

function readPolicy(fields: Fields, place: Place): { scale: Scale; json: JsonValue | undefined } {
  const value = fields.get('scaling_policy');
  const at = place.at('scaling_policy');
  return value === undefined ? { scale: {}, json: undefined } : readScale(fieldsOf(value, at, scaleKeys), at);
}

/** An old key without a meaning today: a map of texts, kept to be shown again. */
function publicPorts(fields: Fields, place: Place): JsonObject {
  const at = place.at('public_ports');
  const entries = Object.entries(objectOf(fields.get('public_ports') ?? {}, at));
  return Object.fromEntries(
    entries.map(([key, value]) => [textOf(key, at.at(key)), textOf(value, at.at(key))] as const).toSorted(byKey),
  );
}

function podsOf(drafts: readonly Omit<ComponentDraft, 'links'>[]): DefinitionDraft['pods'] {
  const pods = new Map<string, { name: string; service: string; place: Place }>();
  for (const { pod, service, place } of drafts) {
    if (pod === null) continue;
    const known = pods.get(pod);
    if (known === undefined) pods.set(pod, { name: pod, service, place: place.at('pod') });
    else if (known.service !== service)
      throw place.at('pod').wrong(`the pod ${quoted(pod)} is also in the service ${quoted(known.service)}`);
  }
  return [...pods.values()];
}

function someOf(fields: Fields, key: string, place: Place): readonly unknown[] {
  const list = listOf(fields.get(key), place.at(key));
  if (list.length === 0) throw place.at(key).wrong('must not be empty');
  if (list.length > maxComponents) throw place.at(key).wrong(`must not have more than ${maxComponents} entries`);
  return list;
}

function once(names: readonly (readonly [string, Place])[]): void {
  const seen = new Set<string>();
  for (const [name, place] of names) {
    if (seen.has(name)) throw place.wrong(`the name ${quoted(name)} is given more than once`);
    seen.add(name);
  }
}
