/**
 * The later format: a tree of components by name. A component without an image only configures what is below it: it exposes ports, forms
 * a pod, or says a scale that counts for those below which say none.
 */
import { createHash } from 'node:crypto';
import { type ComponentParts, type PartRules, readParts } from './component.ts';
import { type ComponentDraft, type DefinitionDraft, type JsonObject, maxComponents, type Scale } from './definition.ts';
import { readDomainsByPort } from './domains.ts';
import { byKey, compact, type Fields, fieldsOf, flagOf, nameOf, objectOf, optionalText } from './fields.ts';
import { type Place, quoted } from './place.ts';
import { processTypeOf } from './process-type.ts';
import { checkedRange, readScale } from './scale.ts';
import { checkExposes, type Expose, readExposes } from './v2-expose.ts';
import { followLink, type Link, readLinks } from './v2-links.ts';
import { type Node, podOf, podsOf } from './v2-pods.ts';
import { ancestorsOf, checkNodeName, isBelow, serviceAndName } from './v2-tree.ts';

export const v2Keys = { required: [], optional: ['name', 'components', 'nodes'], anySpelling: false };
const configurationKeys = ['expose', 'scale', 'pod', 'memory-limit'];
const partKeys = ['image', 'entrypoint', 'args', 'env', 'volumes', 'ports', 'domains', 'links', 'signal-ready'];
const nodeKeys = { required: [], optional: [...configurationKeys, ...partKeys], anySpelling: false };
const scaleKeys = { required: [], optional: ['min', 'max', 'placement'], anySpelling: false };
const partRules: PartRules = {
  volumes: { anySpelling: false, shared: true, owner: (owner) => owner },
  readDomains: readDomainsByPort,
};

interface ReadNode extends Node {
  readonly name: string;
  readonly ports: readonly number[];
  readonly exposes: readonly Expose[];
  readonly scale: Scale;
  /** Null: it only configures. */
  readonly component: ComponentParts | null;
  readonly links: readonly Link[];
  readonly json: JsonObject;
}

export function readV2(body: unknown, place: Place): DefinitionDraft {
  const fields = fieldsOf(body, place, v2Keys);
  const given = fields.get('name') ?? '';
  const name = given === '' ? undefined : appName(given, place.at('name'));
  const at = place.at('components');
  const nodes = readNodes(componentsOf(fields, at), at);
  checkExposes(nodes);
  const definition = compact([
    ['name', name],
    ['components', Object.fromEntries([...nodes].map(([node, read]) => [node, read.json]))],
  ]);
  const roots = new Set([...nodes.keys()].map((node) => serviceAndName(node).service));
  return {
    name: name ?? createHash('md5').update(JSON.stringify(definition)).digest('hex').slice(0, 8),
    format: 'v2',
    definition,
    services: [...roots].map((root) => ({ name: root, ...checkedRange(nodes.get(root)?.scale ?? {}, at.at(root)) })),
    components: [...nodes.values()].flatMap((node) => draftOf(node, nodes)),
    pods: podsOf(nodes),
  };
}

function componentsOf(fields: Fields, place: Place): Readonly<Record<string, unknown>> {
  if (fields.has('components') && fields.has('nodes')) throw place.wrong('given twice, also as nodes');
  const value = fields.get('components') ?? fields.get('nodes');
  if (value === undefined) throw place.wrong('missing, but required');
  const components = objectOf(value, place);
  const count = Object.keys(components).length;
  if (count === 0) throw place.wrong('must not be empty');
  if (count > maxComponents) throw place.wrong(`must not have more than ${maxComponents} entries`);
  return components;
}

function appName(value: unknown, place: Place): string {
  const name = nameOf(value, place);
  if (name.startsWith('_')) throw place.wrong(`${quoted(name)} must begin with a letter or digit`);
  return name;
}

function readNodes(components: Readonly<Record<string, unknown>>, place: Place): ReadonlyMap<string, ReadNode> {
  const nodes = new Map<string, ReadNode>();
  for (const [name, value] of Object.entries(components).toSorted(byKey)) {
    checkNodeName(name, place.at(name));
    nodes.set(name, readNode(value, place.at(name), name));
  }
  for (const [name, { component, place: at }] of nodes)
    if (component === null && ![...nodes.keys()].some((other) => isBelow(other, name)))
      throw at.at('image').wrong('missing, but required where no component is below');
  return nodes;
}

function readNode(value: unknown, place: Place, name: string): ReadNode {
  const fields = fieldsOf(value, place, nodeKeys);
  if (fields.has('memory-limit')) throw place.at('memory-limit').wrong('memory limits are not enabled');
  const hasImage = (fields.get('image') ?? '') !== '';
  const misplaced = hasImage ? undefined : partKeys.find((key) => key !== 'image' && fields.has(key));
  if (misplaced !== undefined) throw place.at(misplaced).wrong('only a component with an image can have this');
  const read = hasImage ? readParts(fields, place, partRules) : null;
  const exposes = readExposes(fields.get('expose') ?? [], place.at('expose'), name);
  const links = readLinks(fields.get('links') ?? [], place.at('links'));
  const scale = readNodeScale(fields.get('scale') ?? {}, place.at('scale'));
  const pod = podOf(fields, place);
  return {
    name,
    place,
    ports: read?.parts.ports ?? [],
    exposes,
    scale: scale.scale,
    pod,
    hasImage,
    component: read?.parts ?? null,
    links,
    json: compact([
      ['image', read?.json.image],
      ['entrypoint', read?.json.entrypoint],
      ['args', read?.json.args],
      ['env', read?.json.env],
      ['volumes', read?.json.volumes],
      ['ports', read?.json.ports],
      ['domains', read?.json.domains],
      ['links', links.map((link) => link.json)],
      ['expose', exposes.map((expose) => expose.json)],
      ['scale', scale.json],
      ['pod', pod ?? undefined],
      ['signal-ready', flagOf(fields, 'signal-ready', place)],
    ]),
  };
}

function readNodeScale(value: unknown, place: Place): { scale: Scale; json: JsonObject } {
  const fields = fieldsOf(value, place, scaleKeys);
  const { scale, json } = readScale(fields, place);
  const placement = optionalText(fields, 'placement', place);
  if (placement !== undefined && placement !== 'simple' && placement !== 'one-per-machine')
    throw place.at('placement').wrong(`${quoted(placement)} must be simple or one-per-machine`);
  return { scale, json: compact([...Object.entries(json), ['placement', placement]]) };
}

function draftOf(node: ReadNode, nodes: ReadonlyMap<string, ReadNode>): readonly ComponentDraft[] {
  if (node.component === null) return [];
  const { service, name } = serviceAndName(node.name);
  const above = ancestorsOf(node.name);
  return [
    {
      ...node.component,
      key: node.name,
      service,
      name,
      type: processTypeOf(service, name),
      place: node.place,
      links: node.links.map((link) => followLink(link, node.name, nodes)),
      pod:
        above.find((each, index) => {
          const pod = nodes.get(each)?.pod;
          return pod === 'inherit' || (pod === 'children' && index === 0);
        }) ?? null,
      scale: node.scale,
      inheritedScale: inheritedScale(above, nodes),
      scalePlace: node.place.at('scale'),
    },
  ];
}

/** From the nodes above that only configure; the nearest one that says it wins. */
function inheritedScale(above: readonly string[], nodes: ReadonlyMap<string, ReadNode>): Scale {
  let inherited: Scale = {};
  for (const each of above) {
    const node = nodes.get(each);
    if (node?.component === null) inherited = { ...node.scale, ...inherited };
  }
  return inherited;
}
