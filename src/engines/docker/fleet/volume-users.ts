/** Who has a volume on a machine: what its daemon says, and not what was seen of it last. */
import { setTimeout as delay } from 'node:timers/promises';
import { unavailable } from '../../../core/errors.ts';
import type { InstanceSpec } from '../../../core/ports/engine.ts';
import type { DockerApi } from '../api/docker-api.ts';
import type { ContainerSummary } from '../api/shapes.ts';
import { type Identity, podKeyOf, readIdentity } from '../identity.ts';
import { labels, type Names } from '../names.ts';

const patienceMs = 5_000;
const againMs = 250;

type Wanted = Pick<InstanceSpec, 'id' | 'processType' | 'pod' | 'spaceId' | 'mounts'>;

/**
 * Resolves when no other instance that runs there has a volume that this one must have alone. Such a one was given up while the machine was
 * out of reach, and ends soon: rejects with `unavailable` when it did not in five seconds, so that the same is asked again.
 */
export async function untilAlone(api: DockerApi, names: Names, spec: Wanted): Promise<void> {
  for (const { volumeId, exclusive } of spec.mounts ?? []) {
    if (exclusive !== true) continue;
    const isFree = await holdsSoon(async () => {
      const found = await mountersOf(api, names, volumeId);
      return found.every(({ Labels }) => !clashes(readIdentity(Labels[labels.identity]), spec));
    });
    if (!isFree) throw unavailable('another instance that still runs has its volume');
  }
}

/** Gives whether no running container has it any more, after five seconds at most. */
export const untilUnused = (api: DockerApi, names: Names, volumeId: string): Promise<boolean> =>
  holdsSoon(async () => (await mountersOf(api, names, volumeId)).length === 0);

function mountersOf(api: DockerApi, names: Names, volumeId: string): Promise<readonly ContainerSummary[]> {
  const query = { filters: { volume: [names.volume(volumeId)], status: ['running', 'paused', 'restarting'] } };
  return api.call('GET', '/containers/json', { query });
}

/** Pure. Other processes of its pod may have the same volume. */
export function clashes(other: Pick<Identity, 'id' | 'podKey' | 'processType'> | null, spec: Wanted): boolean {
  if (other === null || other.id === spec.id) return false;
  const isPodMate = other.podKey !== null && other.podKey === podKeyOf(spec);
  return !isPodMate || other.processType === spec.processType;
}

async function holdsSoon(holds: () => Promise<boolean>): Promise<boolean> {
  const end = performance.now() + patienceMs;
  while (!(await holds())) {
    if (performance.now() > end) return false;
    await delay(againMs);
  }
  return true;
}
