/**
 * On which machine each volume lies, kept on disk, so that one on a machine that is away is not taken for a new one; and copies that are to
 * be deleted where they lie, once their machine is there. Machines are known by their address. Several servers have the file in common: what
 * another one wrote is read before anything is said or changed.
 */
import { statSync } from 'node:fs';
import { readKept, writeKept } from '../../common/kept-file.ts';

interface Kept {
  /** Addresses by volume. */
  readonly at: Readonly<Record<string, string>>;
  /** Volumes by address. */
  readonly unwanted: Readonly<Record<string, readonly string[]>>;
}

interface Pages {
  readonly at: Map<string, string>;
  readonly unwanted: Map<string, Set<string>>;
}

export class VolumeBook {
  readonly #path: string;
  #pages: Pages = { at: new Map(), unwanted: new Map() };
  /** Of the file as it was read or written last. */
  #version = '';

  /** Throws when there is a file that cannot be read. */
  constructor(path: string) {
    this.#path = path;
    this.#now();
  }

  /** Where it lies; null: nobody has seen it. */
  addressOf(id: string): string | null {
    return this.#now().at.get(id) ?? null;
  }

  volumesAt(address: string): readonly string[] {
    return [...this.#now().at].flatMap(([id, at]) => (at === address ? [id] : []));
  }

  unwantedAt(address: string): readonly string[] {
    return [...(this.#now().unwanted.get(address) ?? [])];
  }

  /** It is about to be made there, if it is nowhere yet. */
  placed(id: string, address: string): void {
    const { at } = this.#now();
    if (at.has(id)) return;
    at.set(id, address);
    this.#keep();
  }

  /** These lie there, as the machine says itself. `isKnown`: whether a machine of that address is still one of the fleet. */
  saw(address: string, ids: readonly string[], isKnown: (address: string) => boolean): void {
    const { at, unwanted } = this.#now();
    let isChanged = false;
    for (const id of ids) {
      const other = at.get(id);
      if (other === address || unwanted.get(address)?.has(id) === true) continue;
      if (other !== undefined && isKnown(other)) continue;
      at.set(id, address);
      isChanged = true;
    }
    if (isChanged) this.#keep();
  }

  /** It lies there from now on, and a copy elsewhere is not wanted any more. */
  moved(id: string, to: string, from: string): void {
    const pages = this.#now();
    pages.at.set(id, to);
    pages.unwanted.get(to)?.delete(id);
    mark(pages, from, id);
    this.#keep();
  }

  /** Nobody expects it anywhere any more: the next one to be made counts. */
  givenUp(id: string): void {
    if (this.#now().at.delete(id)) this.#keep();
  }

  /** What is there of it is to be deleted. */
  unwant(address: string, id: string): void {
    const pages = this.#now();
    mark(pages, address, id);
    if (pages.at.get(id) === address) pages.at.delete(id);
    this.#keep();
  }

  /** There is nothing of it there any more. */
  gone(address: string, id: string): void {
    const { at, unwanted } = this.#now();
    const marked = unwanted.get(address)?.delete(id) === true;
    const known = at.get(id) === address && at.delete(id);
    if (marked || known) this.#keep();
  }

  #now(): Pages {
    const version = versionOf(this.#path);
    if (version !== this.#version) {
      const { at, unwanted } = readKept<Kept>(this.#path) ?? { at: {}, unwanted: {} };
      this.#pages = {
        at: new Map(Object.entries(at)),
        unwanted: new Map(Object.entries(unwanted).map(([address, ids]) => [address, new Set(ids)])),
      };
      this.#version = version;
    }
    return this.#pages;
  }

  #keep(): void {
    const { at, unwanted } = this.#pages;
    const marked = [...unwanted].filter(([, ids]) => ids.size > 0);
    writeKept(this.#path, {
      at: Object.fromEntries(at),
      unwanted: Object.fromEntries(marked.map(([address, ids]) => [address, [...ids]])),
    } satisfies Kept);
    this.#version = versionOf(this.#path);
  }
}

function mark({ unwanted }: Pages, address: string, id: string): void {
  const ids = unwanted.get(address) ?? new Set<string>();
  unwanted.set(address, ids.add(id));
}

/** Each writing makes another file; '' where there is none. */
function versionOf(path: string): string {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false });
  return found === undefined ? '' : `${found.ino} ${found.mtimeNs} ${found.size}`;
}
