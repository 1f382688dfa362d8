/**
 * Network namespaces of single instances and of pods, so that every one of them may listen on the same port. Each has one address of the
 * install's block, routed to its interface, whose name carries its space: see names.ts and firewall-rules.ts.
 */
import { existsSync } from 'node:fs';
import type { Firewall } from './firewall.ts';
import { ip, isUp, namespacePath, removeNetwork } from './ip.ts';
import { ownName, ownNamespace, stockName } from './names.ts';
import type { Network } from './network.ts';
import type { NetworkBook, OwnEntry } from './network-book.ts';
import type { NetworkStock } from './network-stock.ts';

export class OwnNetworks {
  readonly #book: NetworkBook;
  readonly #prefix: string;
  readonly #firewall: Firewall;
  readonly #stock: NetworkStock;
  readonly #turns = new Map<string, Promise<unknown>>();
  /** Numbers of the spaces whose rules are in force. */
  readonly #admitted = new Set<number>();

  constructor(book: NetworkBook, prefix: string, firewall: Firewall, stock: NetworkStock) {
    this.#book = book;
    this.#prefix = prefix;
    this.#firewall = firewall;
    this.#stock = stock;
  }

  /** Makes the network of this key, or finds it. The caller counts the key as in use before it asks. */
  ensure(key: string, spaceId: string): Promise<Network> {
    return this.#alone(key, async () => {
      const known = this.#book.own[key];
      const [entry] = await Promise.all([known ?? this.#stock.take(key, spaceId), this.#admit(spaceId)]);
      const network = this.#network(entry);
      if (isUp(network.interface) && existsSync(namespacePath(network.namespace))) return network;
      await this.#switchOn(entry, network);
      this.#stock.refill();
      return network;
    });
  }

  /** Removes the networks of keys for which `inUse` says no. */
  async prune(inUse: (key: string) => boolean): Promise<void> {
    for (const key of Object.keys(this.#book.own)) {
      if (inUse(key)) continue;
      await this.#alone(key, async () => {
        const entry = this.#book.own[key];
        if (entry === undefined || inUse(key)) return;
        const { interface: name, namespace } = this.#network(entry);
        await removeNetwork([name, stockName(this.#prefix, entry.place)], namespace);
        this.#book.dropOwn(key);
      });
    }
  }

  /** The first of a space in this agent's life waits until the rules know the space. */
  async #admit(spaceId: string): Promise<void> {
    const space = this.#book.space(spaceId);
    if (this.#admitted.has(space)) return;
    await this.#firewall.apply();
    this.#admitted.add(space);
  }

  /** From the stock in one step; what is not as the stock leaves it is made anew. */
  async #switchOn({ place }: OwnEntry, { interface: name, address }: Network): Promise<void> {
    const words = [
      `link set ${stockName(this.#prefix, place)} name ${name}`,
      `link set ${name} up`,
      `route replace ${address} dev ${name}`,
    ];
    try {
      await ip(['-batch', '-'], words);
    } catch {
      await this.#stock.rebuild(place, [name]);
      await ip(['-batch', '-'], words);
    }
  }

  #network({ spaceId, place }: OwnEntry): Network {
    return {
      namespace: ownNamespace(this.#prefix, place),
      address: this.#book.address(place),
      gateway: this.#book.ownGateway,
      interface: ownName(this.#prefix, this.#book.space(spaceId), place),
    };
  }

  /** One change of a key at a time; different keys do not wait for each other. */
  #alone<T>(key: string, work: () => Promise<T>): Promise<T> {
    const turn = (this.#turns.get(key) ?? Promise.resolve()).then(work);
    const settled = turn
      .catch(() => {})
      .then(() => {
        if (this.#turns.get(key) === settled) this.#turns.delete(key);
      });
    this.#turns.set(key, settled);
    return turn;
  }
}
