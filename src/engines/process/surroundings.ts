/** What an instance finds around itself beside its files and its own network: volumes, and the ends of its links. */

import type { LinkEnd } from '../../core/instances/link-variables.ts';
import type { InstanceSpec } from '../../core/ports/engine.ts';
import { makeMountPoint, mountRefusal } from '../common/mount-points.ts';
import type { Links } from './links.ts';
import type { FolderBinding } from './sandbox-arguments.ts';
import type { Volumes } from './volumes.ts';

const loopback = '127.0.0.1';

/**
 * The key of the network that an instance has to itself or with its pod, where the machine can give it one; null: the one of its space.
 */
export function ownNetworkKey(spec: Pick<InstanceSpec, 'id' | 'spaceId' | 'pod' | 'ports'>): string | null {
  if (spec.pod !== undefined && spec.pod !== null) return `pod ${spec.spaceId} ${spec.pod}`;
  return spec.ports !== 'any' && spec.ports.length > 0 ? `instance ${spec.id}` : null;
}

/** Where each of its links leads; a member of its own pod is at the loopback. */
export async function linkEnds(spec: Pick<InstanceSpec, 'spaceId' | 'links'>, links: Links): Promise<LinkEnd[]> {
  const ends: LinkEnd[] = [];
  for (const { name, target, port } of spec.links ?? []) {
    const at = target === null ? { host: loopback, port } : await links.place(spec.spaceId, target, port);
    ends.push({ name, port, at });
  }
  return ends;
}

/** Lines of /etc/hosts: the host by a name that is the same everywhere, and every link. */
export function hostNames(gateway: string | null, ends: readonly LinkEnd[]): Readonly<Record<string, string>> {
  const links = Object.fromEntries(ends.map(({ name, at }) => [name, at.host]));
  return { 'host.berth.internal': gateway ?? loopback, ...links };
}

/** Throws, in words for the app's owner, when the mounts cannot be. */
export function checkMounts(mounts: InstanceSpec['mounts'], withoutSandbox: string | null): void {
  if (mounts === undefined || mounts.length === 0) return;
  if (withoutSandbox !== null) {
    throw new Error(
      `volumes cannot be mounted without a sandbox (${withoutSandbox}): install bubblewrap on this machine and leave isolation on`,
    );
  }
  const refusal = mountRefusal(mounts.map(({ path }) => path));
  if (refusal !== null) throw new Error(refusal);
}

/** Makes what the mounts need; `app` is the working copy on the host. */
export async function volumeBindings(
  mounts: InstanceSpec['mounts'],
  volumes: Volumes,
  app: string,
  uid: number | null,
): Promise<FolderBinding[]> {
  const bindings: FolderBinding[] = [];
  for (const { volumeId, path } of mounts ?? []) {
    if (path.startsWith('/app/')) makeMountPoint(app, path, uid);
    bindings.push({ host: await volumes.open(volumeId, uid), inside: path, writable: true });
  }
  return bindings;
}
