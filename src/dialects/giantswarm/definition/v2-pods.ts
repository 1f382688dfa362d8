/** Pods of the later format: a node makes its direct children (`children`) or all below it (`inherit`) one. */
import type { DefinitionDraft } from './definition.ts';
import { type Fields, optionalText } from './fields.ts';
import { type Place, quoted } from './place.ts';
import { ancestorsOf, parentOf } from './v2-tree.ts';

export interface Node {
  readonly place: Place;
  readonly pod: 'none' | 'children' | 'inherit' | null;
  readonly hasImage: boolean;
}

/** Null: nothing is said. */
export function podOf(fields: Fields, place: Place): Node['pod'] {
  const pod = optionalText(fields, 'pod', place);
  if (pod === undefined) return null;
  if (pod !== 'none' && pod !== 'children' && pod !== 'inherit')
    throw place.at('pod').wrong(`${quoted(pod)} must be none, children or inherit`);
  return pod;
}

/** The nodes that make a pod. Throws where a member says something about pods itself. */
export function podsOf(nodes: ReadonlyMap<string, Node>): DefinitionDraft['pods'] {
  for (const [name, { pod, hasImage, place }] of nodes) {
    if (pod === null) continue;
    const parent = parentOf(name);
    const isChild = hasImage && parent !== null && nodes.get(parent)?.pod === 'children';
    if (isChild || ancestorsOf(name).some((above) => nodes.get(above)?.pod === 'inherit'))
      throw place.at('pod').wrong('a member of a pod must not have this');
  }
  return [...nodes]
    .filter(([, { pod }]) => pod === 'children' || pod === 'inherit')
    .map(([name, { place }]) => ({ name, place: place.at('pod') }));
}
