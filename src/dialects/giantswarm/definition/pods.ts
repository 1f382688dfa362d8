/** Pods: members share machine, network and volumes, so there must be two of them and nothing they have may clash. */
import type { ComponentDraft, DefinitionDraft } from './definition.ts';
import { quoted } from './place.ts';

/** Members by pod. Throws WrongInput; that members agree on their scale is checked in `scale.ts`. */
export function resolvePods(draft: DefinitionDraft): ReadonlyMap<string, readonly ComponentDraft[]> {
  const pods = new Map<string, readonly ComponentDraft[]>();
  for (const { name, place } of draft.pods) {
    const members = draft.components.filter((component) => component.pod === name);
    if (members.length < 2) throw place.wrong('a pod must have at least two components');
    checkPorts(members);
    checkLinks(members);
    pods.set(name, members);
  }
  return pods;
}

function checkPorts(members: readonly ComponentDraft[]): void {
  const owners = new Map<number, ComponentDraft>();
  for (const member of members)
    for (const port of member.ports) {
      const owner = owners.get(port);
      if (owner !== undefined)
        throw member.place
          .at('ports')
          .wrong(`the port ${port} is also one of ${quoted(owner.name)}, which is in the same pod`);
      owners.set(port, member);
    }
}

function checkLinks(members: readonly ComponentDraft[]): void {
  const seen = new Map<string, { readonly type: string; readonly port: number; readonly member: ComponentDraft }>();
  for (const member of members)
    for (const { name, type, port, place } of member.links) {
      const other = seen.get(name);
      if (other === undefined) seen.set(name, { type, port, member });
      else if (other.member !== member && (other.type !== type || other.port !== port))
        throw place.wrong(
          `${quoted(name)} is another component or port in ${quoted(other.member.name)}, which is in the same pod`,
        );
    }
}
