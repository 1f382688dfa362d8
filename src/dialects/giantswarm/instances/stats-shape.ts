import type { InstanceStats } from '../../../core/ports/engine.ts';
import type { FoundInstance } from './find-instance.ts';

const MEBIBYTE = 1024 * 1024;

const cpuSeconds = ({ cpu }: InstanceStats): number => cpu.userSeconds + cpu.systemSeconds;

/** Of the time between two readings of one instance, how much of one core it used; 0 where there is nothing to compare. */
export function cpuPercent(before: InstanceStats | undefined, now: InstanceStats): number {
  if (before === undefined || before.id !== now.id) return 0;
  const seconds = (now.at.getTime() - before.at.getTime()) / 1000;
  return seconds <= 0 ? 0 : Math.max(0, ((cpuSeconds(now) - cpuSeconds(before)) / seconds) * 100);
}

/**
 * What a seat uses: MiB, and percent of its memory and of one core. The page cache, which the kernel takes back when it needs the memory, is
 * left out. A seat in which nobody runs uses nothing of what it may.
 */
export function statsShape(
  { tree, component }: Pick<FoundInstance, 'tree' | 'component'>,
  now: InstanceStats | undefined,
  before: InstanceStats | undefined,
) {
  const capacity = (now?.memory.limitBytes ?? component.process.memoryBytes) / MEBIBYTE;
  const usage = now === undefined ? 0 : Math.max(0, now.memory.usageBytes - now.memory.cacheBytes) / MEBIBYTE;
  return {
    ComponentName: `${tree.name}/${component.service}/${component.name}`,
    MemoryUsageMb: usage,
    MemoryCapacityMb: capacity,
    MemoryUsagePercent: capacity === 0 ? 0 : (usage / capacity) * 100,
    CpuUsagePercent: now === undefined ? 0 : cpuPercent(before, now),
  };
}
