/**
 * A platform that stands beside its nodes reaches each instance by way of the node that it runs on: then no request crosses the overlay, which
 * may take half a minute to know its members again after a machine was lost, and a lost machine takes away nothing but its own instances. What
 * has no route here follows the one of the whole block (entry-points.ts).
 */
import type { Logger } from '../../../lib/logger.ts';
import type { Seen } from '../roster.ts';
import { rounds } from '../rounds.ts';
import { type Route, RouteTable } from './route-table.ts';

export interface InstanceRoutesParts {
  readonly addressPool: string;
  readonly logger: Logger;
}

/** A kernel that refuses does so again. */
const againMs = 30_000;

/** What a node is called in the kernel's table: the address by which it is reached. */
type Via = string;

export class InstanceRoutes {
  readonly #parts: InstanceRoutesParts;
  readonly #table: RouteTable;
  /** By the address of the instance. */
  readonly #wanted = new Map<string, Via>();
  /** Nodes of which it was said what runs there, and all that there are; null: not said yet. What leads to others may still be needed. */
  readonly #seen = new Set<Via>();
  #kept: ReadonlySet<Via> | null = null;
  /** What the kernel has; null: not asked yet, and an earlier server may have left some. */
  #there: Map<string, Via> | null = null;
  #trouble: string | null = null;
  #refusedAt = Number.NEGATIVE_INFINITY;
  readonly #apply = rounds(() => this.#applyNow());

  constructor(parts: InstanceRoutesParts) {
    this.#parts = parts;
    this.#table = new RouteTable(parts.addressPool);
  }

  /** Resolves when what runs on that node is reached by way of it, or the kernel does not take the routes: then the block's one is followed. */
  async lead(via: Via, seen: readonly Seen[]): Promise<void> {
    const hosts = new Set(seen.flatMap(({ instance }) => (instance.address === null ? [] : [instance.address.host])));
    let isNews = this.#there === null || !this.#seen.has(via);
    this.#seen.add(via);
    for (const [host, of] of this.#wanted) {
      if (of !== via || hosts.has(host)) continue;
      this.#wanted.delete(host);
      isNews = true;
    }
    for (const host of hosts) {
      if (this.#wanted.get(host) === via) continue;
      this.#wanted.set(host, via);
      isNews = true;
    }
    if (isNews) await this.#apply();
  }

  /** Only these nodes are left. What led to another one is taken back, also what an earlier server left. */
  async keep(vias: ReadonlySet<Via>): Promise<void> {
    const before = this.#kept;
    this.#kept = vias;
    for (const [host, via] of this.#wanted) if (!vias.has(via)) this.#wanted.delete(host);
    for (const via of this.#seen) if (!vias.has(via)) this.#seen.delete(via);
    if (before === null || !sameMembers(before, vias)) await this.#apply();
  }

  /** Takes all of them back. */
  async close(): Promise<void> {
    this.#wanted.clear();
    this.#kept = new Set();
    await this.#apply();
  }

  async #applyNow(): Promise<void> {
    if (performance.now() - this.#refusedAt < againMs) return;
    try {
      this.#there ??= await this.#table.read();
      const there = this.#there;
      const routeOf = ([host, via]: readonly [string, Via]): Route => ({ host, via });
      const missing = [...this.#wanted].filter(([host, via]) => there.get(host) !== via).map(routeOf);
      const left = [...there].filter(([host, via]) => !this.#wanted.has(host) && this.#mayGo(via)).map(routeOf);
      if (missing.length + left.length === 0) return;
      // Whatever comes of it, the kernel is asked for what it has next time unless all of it went well.
      this.#there = null;
      await this.#table.change(missing, left);
      for (const { host } of left) there.delete(host);
      for (const { host, via } of missing) there.set(host, via);
      this.#there = there;
      this.#trouble = null;
    } catch (error) {
      this.#refusedAt = performance.now();
      this.#warn(error instanceof Error ? error.message : String(error));
    }
  }

  #mayGo(via: Via): boolean {
    return this.#seen.has(via) || this.#kept?.has(via) === false;
  }

  /** Every round meets it again, and says it once. */
  #warn(trouble: string): void {
    if (this.#trouble !== trouble)
      this.#parts.logger.warn({ trouble }, 'some instances are reached by way of another node than their own');
    this.#trouble = trouble;
  }
}

const sameMembers = (one: ReadonlySet<Via>, other: ReadonlySet<Via>): boolean =>
  one.size === other.size && [...one].every((each) => other.has(each));
