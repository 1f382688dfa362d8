/**
 * Where no control group holds the memory limit: sums resident sets every 100 ms and ends what is above. Coarser than the kernel: a fast
 * app overshoots until the next look.
 */
import { processStat } from './proc.ts';
import type { Unit } from './unit.ts';

const everyMs = 100;
const pageBytes = 4_096;

/** Watches what `units` gives at each look; returns the way to stop. */
export function watchResident(units: () => Iterable<Unit>): () => void {
  const timer = setInterval(() => {
    for (const unit of units()) {
      if (unit.phase !== 'running') continue;
      if (residentBytes(unit.members()) <= unit.state.limits.memoryBytes) continue;
      unit.noteMemoryKill();
      void unit.stop(0, 'memory');
    }
  }, everyMs);
  return () => clearInterval(timer);
}

export function residentBytes(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + (processStat(pid)?.residentPages ?? 0), 0) * pageBytes;
}
