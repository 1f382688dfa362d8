/** Chooses the instance for a request: the one with the least in flight among those not failing, in turn when several are equal. */
import type { RouteTarget } from '../core/ports/router.ts';
import type { RouterLimits } from './limits.ts';
import type { RouteIndex } from './table.ts';
import { Target } from './target.ts';

interface Choice {
  readonly targets: readonly Target[];
  next: number;
}

export class Balancer {
  readonly #limits: RouterLimits;
  /** By backend. */
  #choices = new Map<string, Choice>();
  /** By instance and address: those of the table, and retired ones that still have requests in flight. */
  readonly #targets = new Map<string, Target>();

  constructor(limits: RouterLimits) {
    this.#limits = limits;
  }

  /** Takes over the targets of a table. Known ones keep their connections and counts; the others retire. */
  update(index: RouteIndex): void {
    const choices = new Map<string, Choice>();
    const current = new Set<Target>();
    for (const backend of index.backends.values()) {
      const targets = backend.targets.map((wanted) => this.#target(wanted));
      for (const target of targets) current.add(target);
      choices.set(backend.id, { targets, next: this.#choices.get(backend.id)?.next ?? 0 });
    }
    this.#choices = choices;
    for (const [key, target] of this.#targets) {
      if (current.has(target)) continue;
      if (!target.retired) target.retire();
      if (target.inFlight === 0) this.#targets.delete(key);
    }
  }

  /** The target for a request to a backend, null when there is none (left). */
  pick(backendId: string, nowMs: number, tried: readonly Target[]): Target | null {
    const choice = this.#choices.get(backendId);
    if (choice === undefined) return null;
    const { targets } = choice;
    let best: Target | null = null;
    let bestFailing = true;
    const count = targets.length;
    const first = choice.next < count ? choice.next : 0;
    for (let step = 0; step < count; step++) {
      const at = first + step;
      const target = targets[at < count ? at : at - count] as Target;
      if (tried.length > 0 && tried.includes(target)) continue;
      const failing = target.isFailing(nowMs);
      if (best === null || (bestFailing && !failing) || (failing === bestFailing && target.inFlight < best.inFlight)) {
        best = target;
        bestFailing = failing;
      }
    }
    choice.next = first + 1;
    return best;
  }

  /** The targets of these ids (of instances) that still have something in flight, on whatever port, retired ones too. */
  busy(targetIds: readonly string[]): readonly Target[] {
    const asked = new Set(targetIds);
    return [...this.#targets.values()].filter((target) => target.inFlight > 0 && asked.has(target.id));
  }

  /** Closes idle connections over their time and forgets retired targets that are done. */
  sweep(nowMs: number): void {
    for (const [key, target] of this.#targets) {
      target.sweep(nowMs);
      if (target.retired && target.inFlight === 0) this.#targets.delete(key);
    }
  }

  /** Closes every idle connection. */
  close(): void {
    for (const target of this.#targets.values()) target.retire();
  }

  /** The known one, with its connections, or a new one. An instance that is somewhere else than before is another target. */
  #target(wanted: RouteTarget): Target {
    const key = `${wanted.id} ${wanted.host} ${wanted.port}`;
    const known = this.#targets.get(key);
    if (known !== undefined) {
      known.retired = false;
      return known;
    }
    const target = new Target(wanted, this.#limits);
    this.#targets.set(key, target);
    return target;
  }
}
