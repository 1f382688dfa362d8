/** Chooses the instance for a request: the one with the least in flight among those not failing, in turn when several are equal. */

import type { RouterLimits } from './limits.ts';
import type { RouteIndex } from './table.ts';
import { Target } from './target.ts';

interface AppTargets {
  readonly targets: readonly Target[];
  next: number;
}

export class Balancer {
  readonly #limits: RouterLimits;
  #apps = new Map<string, AppTargets>();
  /** Those of the table, and retired ones that still have requests in flight. */
  readonly #targets = new Map<string, Target>();

  constructor(limits: RouterLimits) {
    this.#limits = limits;
  }

  /** Takes over the targets of a table. Known ones keep their connections and counts; the others retire. */
  update(index: RouteIndex): void {
    const apps = new Map<string, AppTargets>();
    const current = new Set<Target>();
    for (const app of index.apps.values()) {
      const targets = app.targets.map((wanted) => {
        const known = this.#targets.get(wanted.id);
        if (known !== undefined && known.host === wanted.host && known.port === wanted.port) {
          known.retired = false;
          return known;
        }
        known?.retire();
        const target = new Target(wanted, this.#limits);
        this.#targets.set(wanted.id, target);
        return target;
      });
      for (const target of targets) current.add(target);
      apps.set(app.appId, { targets, next: this.#apps.get(app.appId)?.next ?? 0 });
    }
    this.#apps = apps;
    for (const [id, target] of this.#targets) {
      if (current.has(target)) continue;
      if (!target.retired) target.retire();
      if (target.inFlight === 0) this.#targets.delete(id);
    }
  }

  /** The target for a request of an app, null when there is none (left). */
  pick(appId: string, nowMs: number, tried: readonly Target[]): Target | null {
    const app = this.#apps.get(appId);
    if (app === undefined) return null;
    const { targets } = app;
    let best: Target | null = null;
    let bestFailing = true;
    const count = targets.length;
    const first = app.next < count ? app.next : 0;
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
    app.next = first + 1;
    return best;
  }

  /** The targets of these ids that still have something in flight, retired ones too. */
  busy(targetIds: readonly string[]): readonly Target[] {
    return targetIds.flatMap((id) => {
      const target = this.#targets.get(id);
      return target !== undefined && target.inFlight > 0 ? [target] : [];
    });
  }

  /** Closes idle connections over their time and forgets retired targets that are done. */
  sweep(nowMs: number): void {
    for (const [id, target] of this.#targets) {
      target.sweep(nowMs);
      if (target.retired && target.inFlight === 0) this.#targets.delete(id);
    }
  }

  /** Closes every idle connection. */
  close(): void {
    for (const target of this.#targets.values()) target.retire();
  }
}
