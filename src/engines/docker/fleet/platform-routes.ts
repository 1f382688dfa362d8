/**
 * The routes that a platform beside its nodes keeps on its own machine: to each instance by way of the node that it runs on, and to the whole
 * block of addresses by way of one node. With the first no request crosses the overlay, which may take half a minute to know its members again
 * after a machine was lost, and a lost machine takes away nothing but its own instances. What has none follows the second.
 */
import type { Logger } from '../../../lib/logger.ts';
import { rounds } from '../rounds.ts';
import { type Route, RouteTable } from './route-table.ts';

export interface PlatformRoutesParts {
  readonly addressPool: string;
  readonly logger: Logger;
}

/** What a node is called in the kernel's table: the address by which it is reached. */
type Via = string;

/** A kernel that refuses does so again. */
const refusedMs = 30_000;
/** Others change the table too: an interface that went down and up has lost all of its routes. */
const verifyMs = 5_000;

export class PlatformRoutes {
  readonly #parts: PlatformRoutesParts;
  readonly #table: RouteTable;
  /** By the address of the instance. */
  readonly #hosts = new Map<string, Via>();
  #block: Via | null = null;
  /** Nodes of which it was said what runs there, and all that there are; null: not said yet. What leads to others may still be needed. */
  readonly #seen = new Set<Via>();
  #kept: ReadonlySet<Via> | null = null;
  /** What the kernel has; null: to be asked. */
  #there: Map<string, Via> | null = null;
  #readAt = 0;
  readonly #refusedAt = new Map<Via, number>();
  #trouble: string | null = null;
  readonly #apply = rounds(() => this.#applyNow());

  constructor(parts: PlatformRoutesParts) {
    this.#parts = parts;
    this.#table = new RouteTable(parts.addressPool);
  }

  /** Resolves when these addresses are reached by way of that node, or the kernel does not take it: then the block's route is followed. */
  async lead(via: Via, addresses: readonly string[]): Promise<void> {
    const hosts = new Set(addresses);
    let isNews = !this.#seen.has(via);
    this.#seen.add(via);
    for (const [host, of] of this.#hosts) {
      if (of !== via || hosts.has(host)) continue;
      this.#hosts.delete(host);
      isNews = true;
    }
    for (const host of hosts) {
      if (this.#hosts.get(host) === via) continue;
      this.#hosts.set(host, via);
      isNews = true;
    }
    if (isNews) await this.#apply();
  }

  /** The whole block goes by way of that node, from the next `tend` on. True when it did not before. */
  leadBlock(via: Via): boolean {
    const isNews = this.#block !== via;
    this.#block = via;
    return isNews;
  }

  /** Only these nodes are left: what led to another one is taken back by the next `tend`, also what an earlier server left. */
  keep(vias: ReadonlySet<Via>): void {
    this.#kept = vias;
    for (const [host, via] of this.#hosts) if (!vias.has(via)) this.#hosts.delete(host);
    for (const via of this.#seen) if (!vias.has(via)) this.#seen.delete(via);
  }

  /** Brings the kernel's table up to what holds, whoever changed it. To be said again and again. */
  async tend(): Promise<void> {
    if (performance.now() - this.#readAt >= verifyMs) this.#there = null;
    await this.#apply();
  }

  /** Takes all of them back. */
  async close(): Promise<void> {
    this.#hosts.clear();
    this.#block = null;
    this.#kept = new Set();
    this.#there = null;
    await this.#apply();
  }

  async #applyNow(): Promise<void> {
    try {
      const there = this.#there ?? (await this.#read());
      const wanted = new Map(this.#hosts);
      if (this.#block !== null) wanted.set(this.#parts.addressPool, this.#block);
      const missing = new Map<Via, Route[]>();
      for (const [to, via] of wanted) {
        if (there.get(to) === via || this.#isRefused(via)) continue;
        missing.set(via, [...(missing.get(via) ?? []), { to, via }]);
      }
      const left = [...there].flatMap(([to, via]) => (this.#mayGo(to, via, wanted.get(to)) ? [{ to, via }] : []));
      if (missing.size + left.length === 0) return;
      // Until all of it went well the kernel is asked again for what it has.
      this.#there = null;
      await this.#table.remove(left);
      for (const { to } of left) there.delete(to);
      const refusals: string[] = [];
      for (const [via, routes] of missing) {
        const refusal = await this.#table.set(routes);
        if (refusal === null) for (const { to } of routes) there.set(to, via);
        else {
          this.#refusedAt.set(via, performance.now());
          refusals.push(`by way of ${via}: ${refusal}`);
        }
      }
      if (refusals.length > 0) return this.#warn(refusals.join('; '));
      this.#there = there;
      this.#trouble = null;
    } catch (error) {
      this.#warn(error instanceof Error ? error.message : String(error));
    }
  }

  async #read(): Promise<Map<string, Via>> {
    const there = await this.#table.read();
    this.#there = there;
    this.#readAt = performance.now();
    return there;
  }

  #isRefused(via: Via): boolean {
    return performance.now() - (this.#refusedAt.get(via) ?? Number.NEGATIVE_INFINITY) < refusedMs;
  }

  /** What is not wanted, of nodes that were seen or are none; and what leads elsewhere than it should, where that is refused. */
  #mayGo(to: string, via: Via, wanted: Via | undefined): boolean {
    if (wanted !== undefined) return wanted !== via && this.#isRefused(wanted);
    if (to === this.#parts.addressPool) return this.#kept?.size === 0;
    return this.#seen.has(via) || this.#kept?.has(via) === false;
  }

  /** Every round meets it again, and says it once. */
  #warn(trouble: string): void {
    if (this.#trouble !== trouble)
      this.#parts.logger.warn(
        { trouble },
        'requests may not reach apps: nodes must be in one network segment with the platform, or BERTH_DOCKER_ADDRESS_POOL be routed to them',
      );
    this.#trouble = trouble;
  }
}
