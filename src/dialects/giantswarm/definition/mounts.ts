/** What a component mounts, with what it takes from others of its pod followed to the volume's owner. */
import type { ComponentDraft, MountDefinition, VolumeDraft } from './definition.ts';
import { quoted } from './place.ts';

const maxMounts = 100;

/** By component key. Throws WrongInput for an owner that may not be one, a cycle, a volume that is not there, a path taken twice. */
export function resolveMounts(components: readonly ComponentDraft[]): ReadonlyMap<string, readonly MountDefinition[]> {
  const byKey = new Map(components.map((component) => [component.key, component]));
  const done = new Map<string, readonly MountDefinition[]>();
  const under = new Set<string>();

  const mountsOf = (component: ComponentDraft): readonly MountDefinition[] => {
    const known = done.get(component.key);
    if (known !== undefined) return known;
    under.add(component.key);
    const mounts = new Map<string, MountDefinition>();
    for (const volume of component.volumes)
      for (const mount of taken(volume, component)) {
        if (mounts.has(mount.path))
          throw volume.place.wrong(
            `the path ${quoted(mount.path)} is mounted more than once in the component ${quoted(component.name)}`,
          );
        if (mounts.size === maxMounts) throw volume.place.wrong(`more than ${maxMounts} volumes in a component`);
        mounts.set(mount.path, mount);
      }
    under.delete(component.key);
    const all = [...mounts.values()];
    done.set(component.key, all);
    return all;
  };

  const taken = (volume: VolumeDraft, component: ComponentDraft): readonly MountDefinition[] => {
    if (volume.kind === 'own')
      return [{ path: volume.path, sizeBytes: volume.sizeBytes, from: null, shared: volume.shared }];
    const owner = ownerOf(volume, component);
    const offered = mountsOf(owner).map((mount) => ({
      ...mount,
      sizeBytes: null,
      from: mount.from ?? { type: owner.type, path: mount.path },
    }));
    if (volume.kind === 'all-of') return offered;
    const found = offered.find((mount) => mount.path === volume.ownerPath);
    if (found === undefined)
      throw volume.place.at('volume-path').wrong(`${quoted(owner.name)} has no volume at ${quoted(volume.ownerPath)}`);
    return [{ ...found, path: volume.path }];
  };

  const ownerOf = (volume: Exclude<VolumeDraft, { kind: 'own' }>, component: ComponentDraft): ComponentDraft => {
    const place = volume.place.at(volume.kind === 'all-of' ? 'volumes-from' : 'volume-from');
    const owner = byKey.get(volume.owner);
    if (owner === component) throw place.wrong('a component cannot take volumes from itself');
    if (owner === undefined || owner.service !== component.service)
      throw place.wrong('must be the name of a component of the same service');
    if (owner.pod === null || owner.pod !== component.pod)
      throw place.wrong(`the component ${quoted(owner.name)} is not in the same pod`);
    if (under.has(owner.key)) throw place.wrong('the components take volumes from each other in a circle');
    return owner;
  };

  for (const component of components) mountsOf(component);
  return done;
}
