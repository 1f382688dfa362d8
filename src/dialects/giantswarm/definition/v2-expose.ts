/** Stable ports of a tree node: each leads to a port of the node itself or of a component below it. */
import type { JsonObject } from './definition.ts';
import { compact, fewOf, fieldsOf, optionalText } from './fields.ts';
import { type Place, quoted } from './place.ts';
import { readPort } from './ports.ts';
import { isBelow } from './v2-tree.ts';

export interface Expose {
  readonly place: Place;
  readonly port: number;
  /** The node that it leads to. */
  readonly target: string;
  readonly targetPort: number;
  readonly json: JsonObject;
}
/** What a node has for others. */
export interface Offer {
  readonly ports: readonly number[];
  readonly exposes: readonly Expose[];
}

const keys = { required: ['port'], optional: ['component', 'target_port'], anySpelling: false };

export function readExposes(value: unknown, place: Place, node: string): readonly Expose[] {
  const exposes = fewOf(value, place).map((item, index): Expose => {
    const at = place.at(index);
    const fields = fieldsOf(item, at, keys);
    const port = readPort(fields.get('port'), at.at('port'));
    const component = optionalText(fields, 'component', at);
    const given = fields.get('target_port');
    const targetPort = given === undefined ? undefined : readPort(given, at.at('target_port'));
    return {
      place: at,
      port: port.number,
      target: component ?? node,
      targetPort: (targetPort ?? port).number,
      json: compact([
        ['port', port.json],
        ['component', component],
        ['target_port', targetPort?.json],
      ]),
    };
  });
  checkOnce(exposes);
  return exposes;
}

/** Throws where an expose leads to nothing, or two root nodes have the same. */
export function checkExposes(nodes: ReadonlyMap<string, Offer>): void {
  for (const [node, { exposes }] of nodes)
    for (const { target, targetPort, place } of exposes) {
      if (target !== node && !isBelow(target, node))
        throw place.at('component').wrong(`${quoted(target)} is neither ${quoted(node)} nor below it`);
      const offer = nodes.get(target);
      if (offer === undefined) throw place.at('component').wrong(`there is no component ${quoted(target)}`);
      if (resolvePort(nodes, target, targetPort, target !== node) === null)
        throw place.at('target_port').wrong(`the component ${quoted(target)} does not have the port ${targetPort}`);
    }
  checkOnce([...nodes].flatMap(([node, { exposes }]) => (node.includes('/') ? [] : exposes)));
}

/**
 * The component and its own port that a node's port leads to in the end; null where it leads nowhere. A node's own ports come first.
 * Without `exposed` only those count, so that an expose on itself does not lead in a circle.
 */
export function resolvePort(
  nodes: ReadonlyMap<string, Offer>,
  node: string,
  port: number,
  exposed = true,
): { node: string; port: number } | null {
  const offer = nodes.get(node);
  if (offer === undefined) return null;
  if (offer.ports.includes(port)) return { node, port };
  const expose = exposed ? offer.exposes.find((each) => each.port === port) : undefined;
  return expose === undefined
    ? null
    : resolvePort(nodes, expose.target, expose.targetPort, isBelow(expose.target, node));
}

function checkOnce(exposes: readonly Expose[]): void {
  const seen = new Set<number>();
  for (const { port, place } of exposes) {
    if (seen.has(port)) throw place.at('port').wrong(`the port ${port} is exposed more than once`);
    seen.add(port);
  }
}
