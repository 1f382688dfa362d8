/**
 * Where no control group holds the memory limit: sums resident sets every 100 ms and ends what is above. Coarser than the kernel: a fast
 * app overshoots until the next look.
 */
import { allPids, processEnvironment, processStat } from './proc.ts';
import { markName } from './settings.ts';
import type { Unit } from './unit.ts';

const everyMs = 100;
const pageBytes = 4_096;
/** A process just forked has its parent's environment still: an answer of "nobody's" is only kept after so many looks. */
const surelyNobodys = 20;

interface Owner {
  readonly startTicks: string;
  readonly unitId: string | null;
  readonly looks: number;
}

/** Resident bytes by unit in one pass over all processes. An environment is read once per process, which keeps a look cheap. */
class ResidentSums {
  #owners = new Map<number, Owner>();

  look(): Map<string, number> {
    const owners = new Map<number, Owner>();
    const sums = new Map<string, number>();
    for (const pid of allPids()) {
      const stat = processStat(pid);
      if (stat === null) continue;
      const owner = this.#owner(pid, stat.startTicks);
      owners.set(pid, owner);
      if (owner.unitId === null) continue;
      sums.set(owner.unitId, (sums.get(owner.unitId) ?? 0) + stat.residentPages * pageBytes);
    }
    this.#owners = owners;
    return sums;
  }

  #owner(pid: number, startTicks: string): Owner {
    const known = this.#owners.get(pid);
    if (known?.startTicks === startTicks) {
      if (known.unitId !== null || known.looks >= surelyNobodys) return known;
      return { startTicks, unitId: processEnvironment(pid)?.[markName] ?? null, looks: known.looks + 1 };
    }
    return { startTicks, unitId: processEnvironment(pid)?.[markName] ?? null, looks: 1 };
  }
}

/** Watches what `units` gives at each look; returns the way to stop. */
export function watchResident(units: () => readonly Unit[]): () => void {
  const sums = new ResidentSums();
  const timer = setInterval(() => {
    const running = units().filter((unit) => unit.phase === 'running');
    if (running.length === 0) return;
    const used = sums.look();
    for (const unit of running) {
      if ((used.get(unit.state.id) ?? 0) <= unit.state.limits.memoryBytes) continue;
      unit.noteMemoryKill();
      void unit.stop(0, 'memory');
    }
  }, everyMs);
  return () => clearInterval(timer);
}

export function residentBytes(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + (processStat(pid)?.residentPages ?? 0), 0) * pageBytes;
}
