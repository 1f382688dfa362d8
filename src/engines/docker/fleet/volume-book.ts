/**
 * On which machine each volume lies, kept on disk, so that one on a machine that is away is not taken for a new one; and copies that are to
 * be deleted where they lie, once their machine is there. Machines are known by their address.
 */
import { readKept, writeKept } from '../../common/kept-file.ts';

interface Kept {
  /** Addresses by volume. */
  readonly at: Readonly<Record<string, string>>;
  /** Volumes by address. */
  readonly unwanted: Readonly<Record<string, readonly string[]>>;
}

export class VolumeBook {
  readonly #path: string;
  readonly #at: Map<string, string>;
  readonly #unwanted: Map<string, Set<string>>;

  constructor(path: string) {
    const { at, unwanted } = readKept<Kept>(path) ?? { at: {}, unwanted: {} };
    this.#path = path;
    this.#at = new Map(Object.entries(at));
    this.#unwanted = new Map(Object.entries(unwanted).map(([address, ids]) => [address, new Set(ids)]));
  }

  /** Where it lies; null: nobody has seen it. */
  addressOf(id: string): string | null {
    return this.#at.get(id) ?? null;
  }

  volumesAt(address: string): readonly string[] {
    return [...this.#at].flatMap(([id, at]) => (at === address ? [id] : []));
  }

  unwantedAt(address: string): readonly string[] {
    return [...(this.#unwanted.get(address) ?? [])];
  }

  /** It is about to be made there, if it is nowhere yet. */
  placed(id: string, address: string): void {
    if (this.#at.has(id)) return;
    this.#at.set(id, address);
    this.#keep();
  }

  /** These lie there, as the machine says itself. `isKnown`: whether a machine of that address is still one of the fleet. */
  saw(address: string, ids: readonly string[], isKnown: (address: string) => boolean): void {
    let isChanged = false;
    for (const id of ids) {
      const other = this.#at.get(id);
      if (other === address || this.#unwanted.get(address)?.has(id) === true) continue;
      if (other !== undefined && isKnown(other)) continue;
      this.#at.set(id, address);
      isChanged = true;
    }
    if (isChanged) this.#keep();
  }

  /** It lies there from now on, and a copy elsewhere is not wanted any more. */
  moved(id: string, to: string, from: string): void {
    this.#at.set(id, to);
    this.#unwanted.get(to)?.delete(id);
    this.#mark(from, id);
    this.#keep();
  }

  /** What is there of it is to be deleted. */
  unwant(address: string, id: string): void {
    this.#mark(address, id);
    if (this.#at.get(id) === address) this.#at.delete(id);
    this.#keep();
  }

  /** There is nothing of it there any more. */
  gone(address: string, id: string): void {
    const marked = this.#unwanted.get(address)?.delete(id) === true;
    const known = this.#at.get(id) === address && this.#at.delete(id);
    if (marked || known) this.#keep();
  }

  #mark(address: string, id: string): void {
    const ids = this.#unwanted.get(address) ?? new Set<string>();
    this.#unwanted.set(address, ids.add(id));
  }

  #keep(): void {
    const unwanted = [...this.#unwanted].filter(([, ids]) => ids.size > 0);
    writeKept(this.#path, {
      at: Object.fromEntries(this.#at),
      unwanted: Object.fromEntries(unwanted.map(([address, ids]) => [address, [...ids]])),
    } satisfies Kept);
  }
}
