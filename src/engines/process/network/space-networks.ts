/**
 * One network namespace per space, made when the first unit of a space starts and taken away a while after the last one ended. All
 * instances whose port is given to them share it: joining it costs a start nothing.
 */
import { existsSync } from 'node:fs';
import type { Firewall } from './firewall.ts';
import { ip, isUp, namespacePath, removeNetwork, setHostEnd } from './ip.ts';
import { sharedName } from './names.ts';
import type { Network } from './network.ts';
import type { NetworkBook } from './network-book.ts';

export class SpaceNetworks {
  readonly #book: NetworkBook;
  readonly #prefix: string;
  readonly #firewall: Firewall;
  readonly #ready = new Map<string, Network>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(book: NetworkBook, prefix: string, firewall: Firewall) {
    this.#book = book;
    this.#prefix = prefix;
    this.#firewall = firewall;
  }

  /** Makes the space's network, or finds it. The caller counts the space as in use before it asks. */
  async ensure(spaceId: string): Promise<Network> {
    const known = this.#ready.get(spaceId);
    if (known !== undefined) return known;
    return this.#alone(async () => {
      const network = this.#ready.get(spaceId) ?? (await this.#make(spaceId));
      this.#ready.set(spaceId, network);
      return network;
    });
  }

  /** Removes the networks of spaces for which `inUse` says no. */
  async prune(inUse: (spaceId: string) => boolean): Promise<void> {
    for (const spaceId of Object.keys(this.#book.spaces)) {
      await this.#alone(async () => {
        const index = this.#book.spaces[spaceId];
        const hasOwn = Object.values(this.#book.own).some((entry) => entry.spaceId === spaceId);
        if (index === undefined || hasOwn || inUse(spaceId)) return;
        this.#ready.delete(spaceId);
        const name = sharedName(this.#prefix, index);
        await removeNetwork([name], name);
        this.#book.dropSpace(spaceId);
      });
    }
  }

  /** One change at a time: making and removing the same network must not meet. */
  #alone<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => {});
    return turn;
  }

  async #make(spaceId: string): Promise<Network> {
    await this.#firewall.raise();
    const index = this.#book.space(spaceId);
    const name = sharedName(this.#prefix, index);
    const { gateway, address } = this.#book.spaceAddresses(index);
    // The host's end is set up last, so while it is down the rest may be half made.
    if (!existsSync(namespacePath(name)) || !isUp(name)) {
      await removeNetwork([name], name);
      await ip(
        ['-batch', '-'],
        [
          `netns add ${name}`,
          `link add ${name} type veth peer name eth0 netns ${name}`,
          `addr add ${gateway}/30 dev ${name}`,
        ],
      );
      setHostEnd(name);
      await ip(
        ['-n', name, '-batch', '-'],
        [
          'link set lo up',
          `addr add ${address}/30 dev eth0`,
          'link set eth0 up',
          `route add default via ${gateway} dev eth0`,
        ],
      );
      await ip(['link', 'set', name, 'up']);
    }
    return { namespace: name, gateway, address, interface: name };
  }
}
