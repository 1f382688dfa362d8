/** Volumes over all machines: each lies on one of them, and follows its instances only when it must. */
import type { Logger } from '../../../lib/logger.ts';
import type { Names } from '../names.ts';
import { carryVolume, removeMovers } from './carrying.ts';
import type { Member } from './member.ts';
import type { Members } from './members.ts';
import type { VolumeBook } from './volume-book.ts';
import { untilUnused } from './volume-users.ts';

export interface FleetVolumesParts {
  readonly members: Members;
  readonly book: VolumeBook;
  readonly names: Names;
  readonly logger: Logger;
}

export class FleetVolumes {
  readonly #parts: FleetVolumesParts;
  readonly #carrying = new Map<string, Promise<void>>();

  constructor(parts: FleetVolumesParts) {
    this.#parts = parts;
  }

  /** Also those on machines that are down: they are there, only out of reach. */
  async list(): Promise<readonly string[]> {
    const { members, book } = this.#parts;
    if (members.isAlone) return this.on(members.home);
    await members.settled();
    members.someReady();
    const lists = members.all().map((member) => (member.isReady ? this.on(member) : book.volumesAt(member.address)));
    return [...new Set((await Promise.all(lists)).flat())];
  }

  /**
   * Unknown id: nothing to do. Rejects with conflict `volume-in-use` while an instance mounts it. One on a machine that is down counts as
   * deleted, and is when the machine is back.
   */
  async remove(id: string): Promise<void> {
    const { members, book } = this.#parts;
    if (!members.isAlone) await members.settled();
    const asked = members.isAlone ? [members.home] : members.ready();
    await Promise.all(
      asked.map(async ({ node, address }) => {
        await node.parts.volumes.remove(id);
        book.gone(address, id);
      }),
    );
    const address = book.addressOf(id);
    if (address !== null) book.unwant(address, id);
  }

  /** Which of these volumes lies on which machine, by its address. */
  async find(ids: readonly string[]): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
    const { members, book } = this.#parts;
    await Promise.allSettled(members.ready().map((member) => this.on(member)));
    const found = new Map<string, Set<string>>();
    for (const id of ids) {
      const address = book.addressOf(id);
      if (address !== null) found.set(address, (found.get(address) ?? new Set<string>()).add(id));
    }
    return found;
  }

  /**
   * Of these, those whose machine was taken out of the table with them, and which lie on no other one as all of them say: nobody waits for them
   * any more, and the next instance begins with an empty one.
   */
  async giveUp(ids: readonly string[]): Promise<readonly string[]> {
    const { members, book } = this.#parts;
    if (this.lostOf(ids).length === 0 || !members.isWhole) return [];
    const asked = await Promise.allSettled(members.all().map((member) => this.on(member)));
    const areSure = members.isWhole && asked.every(({ status }) => status === 'fulfilled');
    const lost = areSure ? this.lostOf(ids) : [];
    for (const id of lost) book.givenUp(id);
    return lost;
  }

  /** Of these, those that lie on a machine which is not in the table. */
  lostOf(ids: readonly string[]): readonly string[] {
    const { members, book } = this.#parts;
    const known = new Set(members.all().map(({ address }) => address));
    return ids.filter((id) => {
      const address = book.addressOf(id);
      return address !== null && !known.has(address);
    });
  }

  /** Resolves when the volume lies there, carried over from where it was; nothing to do for one that nobody has seen. */
  bring(id: string, to: Member): Promise<void> {
    const { book } = this.#parts;
    const before = this.#carrying.get(id) ?? Promise.resolve();
    const bringing = before
      .catch(() => {})
      .then(async () => {
        const address = book.addressOf(id);
        if (address !== null && address !== to.address) await this.#carry(id, address, to);
      });
    this.#carrying.set(id, bringing);
    const done = (): void => {
      if (this.#carrying.get(id) === bringing) this.#carrying.delete(id);
    };
    bringing.then(done, done);
    return bringing;
  }

  /** Deletes what is not wanted any more and is in reach. */
  async tidy(): Promise<void> {
    const { members, book, names, logger } = this.#parts;
    for (const { node } of this.#carrying.size === 0 ? members.ready() : []) await removeMovers(node.api, names);
    for (const { address, node, id: nodeId } of members.ready()) {
      for (const id of book.unwantedAt(address)) {
        if (this.#carrying.has(id)) continue;
        try {
          await node.parts.volumes.remove(id);
          book.gone(address, id);
        } catch (error) {
          logger.debug({ error, volume: id, node: nodeId }, 'a copy of a volume is not deleted yet');
        }
      }
    }
  }

  /** Those that lie there whole, as the machine says now. */
  async on({ node, address }: Member): Promise<readonly string[]> {
    const { members, book } = this.#parts;
    const ids = await node.parts.volumes.list();
    book.saw(address, ids, (other) => members.all().some((member) => member.address === other));
    const unwanted = new Set(book.unwantedAt(address));
    return ids.filter((id) => !unwanted.has(id));
  }

  async #carry(id: string, address: string, to: Member): Promise<void> {
    const { members, book, names, logger } = this.#parts;
    const from = members.ready().find((member) => member.address === address);
    if (from === undefined) throw new Error('its volume lies on a node that is out of reach at the moment');
    if (!(await untilUnused(from.node.api, names, id)))
      throw new Error(`its volume is still in use on node ${from.id}`);
    // Whoever stops in the middle finds half a copy, and knows that it is one.
    book.unwant(to.address, id);
    await to.node.parts.volumes.remove(id);
    await carryVolume({ names, volumeId: id, from: from.node, to: to.node });
    book.moved(id, to.address, from.address);
    logger.info({ volume: id, from: from.id, to: to.id }, 'a volume was carried to another node');
    await from.node.parts.volumes.remove(id).then(
      () => book.gone(from.address, id),
      // Something that has ended still holds it: later.
      () => {},
    );
  }
}
