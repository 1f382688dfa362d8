/**
 * Images that want files which nobody changes, not even they: they say so by a label, and get memory at /tmp and /run instead. It counts as
 * memory of the instance.
 */
import type { ImageDetails } from './api/shapes.ts';

/** `LABEL berth.read-only=true` in a Dockerfile. */
const label = 'berth.read-only';

export const wantsReadOnly = (config: ImageDetails['Config']): boolean => config?.Labels?.[label] === 'true';

/** Parts of HostConfig; nothing is laid over what is mounted at those places anyway. */
export function readOnlyRoot(memoryBytes: number, mounted: readonly string[]): object {
  const options = { '/tmp': 'exec,nosuid,nodev', '/run': 'noexec,nosuid,nodev' };
  const folders = Object.entries(options).filter(([path]) => !mounted.includes(path));
  return {
    ReadonlyRootfs: true,
    Tmpfs: Object.fromEntries(folders.map(([path, words]) => [path, `rw,${words},mode=1777,size=${memoryBytes}`])),
  };
}
