/** Links of the later format: to a component of the tree by its full name, at a port that it has or exposes. */
import type { JsonObject, LinkDefinition } from './definition.ts';
import { compact, fewOf, fieldsOf, nameOf, optionalText } from './fields.ts';
import { linkName } from './links.ts';
import { type Place, quoted } from './place.ts';
import { readPort } from './ports.ts';
import { processTypeOf } from './process-type.ts';
import { type Offer, resolvePort } from './v2-expose.ts';
import { mayReach, serviceAndName } from './v2-tree.ts';

export interface Link {
  readonly place: Place;
  /** The name seen inside. */
  readonly name: string;
  readonly target: string;
  readonly port: number;
  readonly json: JsonObject;
}

const keys = { required: ['target_port'], optional: ['component', 'service', 'alias'], anySpelling: false };

export function readLinks(value: unknown, place: Place): readonly Link[] {
  return fewOf(value, place).map((item, index) => readLink(item, place.at(index)));
}

function readLink(value: unknown, place: Place): Link {
  const fields = fieldsOf(value, place, keys);
  const component = optionalText(fields, 'component', place);
  const service = optionalText(fields, 'service', place);
  if ((component === undefined) === (service === undefined))
    throw place.wrong('must have either a component or a service');
  if (component === undefined) throw place.at('service').wrong('links to other services are not enabled');
  const port = readPort(fields.get('target_port'), place.at('target_port'));
  const given = optionalText(fields, 'alias', place);
  const alias = given === undefined ? undefined : nameOf(given, place.at('alias'));
  return {
    place,
    name:
      alias === undefined
        ? linkName(component.slice(component.lastIndexOf('/') + 1), place.at('component'))
        : linkName(alias, place.at('alias')),
    target: component,
    port: port.number,
    json: compact([
      ['component', component],
      ['target_port', port.json],
      ['alias', alias],
    ]),
  };
}

/**
 * Where a link of `node` leads. A port that is exposed under another number is refused: inside, a link answers at the port of its target.
 */
export function followLink(
  { place, name, target, port }: Link,
  node: string,
  nodes: ReadonlyMap<string, Offer>,
): LinkDefinition & { place: Place } {
  if (!nodes.has(target)) throw place.at('component').wrong(`there is no component ${quoted(target)}`);
  if (!mayReach(node, target))
    throw place
      .at('component')
      .wrong(`${quoted(target)} is neither below ${quoted(node)} nor a sibling of it or of one above it`);
  const end = resolvePort(nodes, target, port);
  if (end === null)
    throw place.at('target_port').wrong(`the component ${quoted(target)} neither has nor exposes the port ${port}`);
  if (end.port !== port)
    throw place
      .at('target_port')
      .wrong(`links to a port that is exposed under another number are not enabled: link to ${quoted(end.node)}`);
  const { service, name: component } = serviceAndName(end.node);
  return { name, type: processTypeOf(service, component), port, place };
}
