/** What each container uses now, read from the kernel, and the most memory that it was seen to use. */
import { setTimeout as wait } from 'node:timers/promises';
import type { InstanceStats } from '../../../core/ports/engine.ts';
import { type Call, ok, param, type Route } from '../call.ts';
import { containerLabel } from '../container-label.ts';
import type { ScalingoParts } from '../settings.ts';

/** Between the two readings that a share of the processor needs. */
const BETWEEN_MS = 250;
const DAY_MS = 24 * 60 * 60_000;
/** Containers get no swap; clients divide by the limit, which is as large as the documents show it. */
const SWAP_FACTOR = 3;

export function statsRoutes({ core, clock }: ScalingoParts): readonly Route[] {
  async function stats(call: Call) {
    const app = await core.apps.get(call.actor, param(call, 'app'));
    const before = new Map((await core.instances.stats(call.actor, app.id)).map((reading) => [reading.id, reading]));
    if (before.size > 0) await wait(BETWEEN_MS);
    const now = clock.now();
    const [readings, instances, series] = await Promise.all([
      core.instances.stats(call.actor, app.id),
      core.instances.list(call.actor, app.id),
      core.metrics.query(call.actor, app.id, {
        metric: 'memoryResidentBytes',
        from: new Date(now.getTime() - DAY_MS),
        to: now,
      }),
    ]);
    const highest = new Map(
      series.map(({ instance, points }) => [instance, Math.max(...points.map(({ value }) => value))]),
    );
    const containers = instances
      .filter(({ state }) => state !== 'draining')
      .flatMap((instance) => {
        const reading = readings.find(({ id }) => id === instance.id);
        if (reading === undefined) return [];
        return [statsShape(containerLabel(instance), reading, before.get(instance.id), highest.get(instance.id) ?? 0)];
      });
    return ok({ stats: containers.toSorted((a, b) => a.id.localeCompare(b.id, 'en', { numeric: true })) });
  }

  return [{ method: 'GET', path: '/v1/apps/:app/stats', access: 'app.read.metric', handle: stats }];
}

/** All numbers are whole: clients cannot read others. */
export function statsShape(id: string, now: InstanceStats, before: InstanceStats | undefined, highestBytes: number) {
  const used = Math.round(now.memory.residentBytes);
  return {
    id,
    cpu_usage: Math.round(cpuPercent(before, now)),
    memory_usage: used,
    memory_limit: now.memory.limitBytes,
    highest_memory_usage: Math.max(used, Math.round(highestBytes)),
    swap_usage: 0,
    swap_limit: now.memory.limitBytes * SWAP_FACTOR,
    highest_swap_usage: 0,
  };
}

/** Of one core, over the time between two readings; 0 where there is nothing to compare. */
function cpuPercent(before: InstanceStats | undefined, now: InstanceStats): number {
  const seconds = before === undefined ? 0 : (now.at.getTime() - before.at.getTime()) / 1000;
  if (before === undefined || seconds <= 0) return 0;
  const used = ({ cpu }: InstanceStats): number => cpu.userSeconds + cpu.systemSeconds;
  return Math.max(0, ((used(now) - used(before)) / seconds) * 100);
}
