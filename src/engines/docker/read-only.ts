/**
 * Images that want files which nobody changes, not even they: they say so by a label, and get memory at /tmp and /run instead. It counts as
 * memory of the instance.
 */
import type { ImageDetails } from './api/shapes.ts';
import { ownerOf } from './owner.ts';

/** `LABEL berth.read-only=true` in a Dockerfile. */
const label = 'berth.read-only';

export const wantsReadOnly = (config: ImageDetails['Config']): boolean => config?.Labels?.[label] === 'true';

/**
 * Parts of HostConfig; nothing is laid over what is mounted at those places anyway. The owner is said too, since runc gives such a folder the
 * mode that the image's has.
 */
export function readOnlyRoot(user: string, memoryBytes: number, mounted: readonly string[]): object {
  const { uid, gid } = ownerOf(user);
  const common = `rw,nosuid,nodev,mode=1777,uid=${uid},gid=${gid},size=${memoryBytes}`;
  const options = { '/tmp': `exec,${common}`, '/run': `noexec,${common}` };
  return {
    ReadonlyRootfs: true,
    Tmpfs: Object.fromEntries(Object.entries(options).filter(([path]) => !mounted.includes(path))),
  };
}
