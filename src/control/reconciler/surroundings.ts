/** What an instance finds around it: its volumes, and ways to other processes. */
import type { Instance } from '../../core/instances/instance.ts';
import { linkTarget } from '../../core/instances/link-target.ts';
import { SHARED_SEAT, seatOf } from '../../core/instances/seat.ts';
import type { Link, Mount } from '../../core/ports/engine.ts';
import type { Process } from '../../core/processes/process.ts';
import type { ControlContext } from '../control-context.ts';
import type { Snapshot } from './snapshot.ts';

/** The volumes of the instance's seat; rows come before the engine makes anything, so that none is forgotten. */
export async function mountsOf(
  { db, ids, clock }: ControlContext,
  process: Process,
  row: Instance,
): Promise<readonly Mount[]> {
  const mounts: Mount[] = [];
  for (const { path, from, shared, sizeBytes } of process.mounts) {
    const volume = await db.volumes.ensure({
      id: ids.id(),
      appId: process.appId,
      processType: from?.processType ?? process.type,
      seat: shared ? SHARED_SEAT : seatOf(row),
      path: from?.path ?? path,
      sizeBytes,
      createdAt: clock.now(),
    });
    mounts.push({ volumeId: volume.id, path, exclusive: !shared });
  }
  return mounts;
}

export function linksOf({ app, processes }: Pick<Snapshot, 'app' | 'processes'>, process: Process): readonly Link[] {
  return process.links.map(({ name, processType, port }) => {
    const target = processes.find((other) => other.type === processType);
    const together = process.pod !== null && target?.pod === process.pod;
    return { name, port, target: together ? null : linkTarget(app.id, processType) };
  });
}
