/** Reads what instances of one node use. */
import type { InstanceStats } from '../../core/ports/engine.ts';
import type { DockerApi } from './api/docker-api.ts';
import { isStatus } from './api/docker-error.ts';
import type { ContainerStats } from './api/shapes.ts';
import type { Roster } from './roster.ts';
import { statsOf } from './stats.ts';

/** Of those of `ids` that run; what ended in the meantime, or the daemon cannot read, is left out. */
export async function readStats(
  api: DockerApi,
  containers: Awaited<ReturnType<Roster['containers']>>,
  ids: readonly string[],
): Promise<readonly InstanceStats[]> {
  const wanted = new Set(ids);
  const running = containers.filter(({ identity, summary }) => wanted.has(identity.id) && summary.State === 'running');
  const query = { stream: false, 'one-shot': true };
  const found = await Promise.all(
    running.map(async ({ identity, summary }) => {
      try {
        const read = await api.call<ContainerStats>('GET', `/containers/${summary.Id}/stats`, { query });
        return statsOf(identity, read) ?? [];
      } catch (error) {
        if (isStatus(error, 404, 409)) return [];
        throw error;
      }
    }),
  );
  return found.flat();
}
