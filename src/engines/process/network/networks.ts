/** All networks of an install on this machine: shared ones of spaces, own ones of instances and pods, and the links between them. */
import type { LinkRoute } from '../../../core/ports/engine.ts';
import type { LinkTable } from '../../common/link-table.ts';
import type { LinkPlace, Links } from '../links.ts';
import { Firewall } from './firewall.ts';
import type { Elsewhere, RuledRoute } from './firewall-rules.ts';
import { prefixOf } from './names.ts';
import type { Network } from './network.ts';
import { NetworkBook } from './network-book.ts';
import { NetworkStock } from './network-stock.ts';
import { OwnNetworks } from './own-networks.ts';
import { SpaceNetworks } from './space-networks.ts';

export interface NetworksOptions {
  /** Of the JSON file with all addresses. */
  readonly path: string;
  readonly installId: string;
  readonly allowHostPorts: readonly number[];
  readonly elsewhere: Elsewhere;
  readonly table: LinkTable;
}

/** Who still needs what; a unit counts from before it asks until nothing of it is left. */
export interface NetworkUses {
  space(spaceId: string): boolean;
  own(key: string): boolean;
}

export class Networks implements Links {
  readonly #book: NetworkBook;
  readonly #table: LinkTable;
  readonly #firewall: Firewall;
  readonly #shared: SpaceNetworks;
  readonly #stock: NetworkStock;
  readonly #own: OwnNetworks;
  /** The table that the kernel has, as JSON; null when that is not known. */
  #inForce: string | null = null;
  #routing: Promise<void> = Promise.resolve();

  constructor({ path, installId, allowHostPorts, elsewhere, table }: NetworksOptions) {
    const prefix = prefixOf(installId);
    this.#book = new NetworkBook(path, installId);
    this.#table = table;
    this.#firewall = new Firewall(prefix, () => ({
      prefix,
      block: this.#book.cidr,
      allowHostPorts,
      elsewhere,
      spaces: Object.values(this.#book.spaces),
      routes: table.routes.map((route) => this.#ruled(route)),
    }));
    this.#shared = new SpaceNetworks(this.#book, prefix, this.#firewall);
    this.#stock = new NetworkStock(this.#book, prefix);
    this.#own = new OwnNetworks(this.#book, prefix, this.#firewall, this.#stock);
  }

  /** Puts the links in force that an earlier agent was told of, and around the networks that it left the rules that hold now. */
  async restore(): Promise<void> {
    if (this.#table.routes.length > 0) await this.route(this.#table.routes);
    else if (Object.keys(this.#book.spaces).length > 0) await this.#firewall.raise();
  }

  /** The network that a space's instances share. */
  shared(spaceId: string): Promise<Network> {
    return this.#shared.ensure(spaceId);
  }

  /** The network of one instance or pod; `key` names it. */
  own(key: string, spaceId: string): Promise<Network> {
    return this.#own.ensure(key, spaceId);
  }

  async place(spaceId: string, target: string, port: number): Promise<LinkPlace> {
    return { host: this.#book.target(spaceId, target), port };
  }

  /** One table at a time, so that what is noted as in force is what the kernel was told last. */
  route(routes: readonly LinkRoute[]): Promise<void> {
    const turn = this.#routing.then(() => this.#route(routes));
    this.#routing = turn.catch(() => {});
    return turn;
  }

  prune(inUse: (spaceId: string, target: string) => boolean): void {
    this.#book.pruneTargets((spaceId, target) => this.#table.has(spaceId, target) || inUse(spaceId, target));
  }

  /** Removes what nobody needs any more. */
  async pruneNetworks(uses: NetworkUses): Promise<void> {
    await this.#own.prune((key) => uses.own(key));
    await this.#stock.prune();
    await this.#shared.prune((spaceId) => uses.space(spaceId));
  }

  /** `everything` removes every network and the firewall's chains; else all of it goes on without the agent. */
  async close({ everything }: { readonly everything: boolean }): Promise<void> {
    await this.#stock.stop();
    if (!everything) return;
    await this.#stock.clear();
    await this.pruneNetworks({ space: () => false, own: () => false });
    await this.#firewall.lower();
  }

  async #route(routes: readonly LinkRoute[]): Promise<void> {
    const text = JSON.stringify(routes);
    const isEmptyStill = routes.length === 0 && this.#table.routes.length === 0;
    if (text === this.#inForce || isEmptyStill) return;
    this.#table.replace(routes);
    // Addresses first, so that starts never have to wait for the rules: a link's are in force before anybody knows its address.
    for (const { spaceId, target } of routes) {
      this.#book.space(spaceId);
      this.#book.target(spaceId, target);
    }
    this.#inForce = null;
    await this.#firewall.apply();
    this.#inForce = text;
  }

  #ruled({ spaceId, target, port, backends }: LinkRoute): RuledRoute {
    return { address: this.#book.target(spaceId, target), port, backends };
  }
}
