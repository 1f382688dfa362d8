/**
 * Which addresses of the install's block are whose, in one file, so that a restarted agent finds every network again. Every change is on
 * disk before it is acted on.
 */
import { readKept, writeKept } from '../../common/kept-file.ts';
import {
  addressesOf,
  chooseBlock,
  freePair,
  freePlace,
  ownGatewayPlace,
  type Range,
  routedRanges,
  type SpaceAddresses,
  toAddress,
} from './subnets.ts';

export interface OwnEntry {
  readonly spaceId: string;
  /** Its address, counted from the block's first; names its interface too. */
  readonly place: number;
}

interface Kept {
  readonly block: Range;
  readonly spaces: Readonly<Record<string, number>>;
  /** Networks of single instances and pods, by key. */
  readonly own: Readonly<Record<string, OwnEntry>>;
  /** Made ahead of need; `making` may be half made. */
  readonly stock: Readonly<Record<string, 'making' | 'ready'>>;
  /** Addresses of link targets, by `[space id, target]` as JSON. */
  readonly targets: Readonly<Record<string, number>>;
}

export class NetworkBook {
  readonly #path: string;
  #kept: Kept;
  #lastPlace = ownGatewayPlace;

  /** `path` of the JSON file. */
  constructor(path: string, installId: string) {
    this.#path = path;
    const kept = readKept<Partial<Kept>>(path);
    const block =
      kept?.block ??
      chooseBlock(
        installId,
        routedRanges(() => false),
      );
    this.#kept = { spaces: {}, own: {}, stock: {}, targets: {}, ...kept, block };
  }

  /** The block as `address/bits`. */
  get cidr(): string {
    const { base, size } = this.#kept.block;
    return `${toAddress(base)}/${32 - Math.log2(size)}`;
  }

  get ownGateway(): string {
    return this.address(ownGatewayPlace);
  }

  address(place: number): string {
    return toAddress(this.#kept.block.base + place);
  }

  spaceAddresses(index: number): SpaceAddresses {
    return addressesOf(this.#kept.block, index);
  }

  get spaces(): Readonly<Record<string, number>> {
    return this.#kept.spaces;
  }

  /** The space's number, taken when it has none. Throws when none is left. */
  space(spaceId: string): number {
    const known = this.#kept.spaces[spaceId];
    if (known !== undefined) return known;
    const index = freePair(this.#pairs(), this.#places());
    this.#save({ spaces: { ...this.#kept.spaces, [spaceId]: index } });
    return index;
  }

  dropSpace(spaceId: string): void {
    this.#save({ spaces: without(this.#kept.spaces, spaceId) });
  }

  get own(): Readonly<Record<string, OwnEntry>> {
    return this.#kept.own;
  }

  /** Gives a place of the stock to a key. */
  setOwn(key: string, spaceId: string, place: number): OwnEntry {
    const entry = { spaceId, place };
    this.#save({ own: { ...this.#kept.own, [key]: entry }, stock: without(this.#kept.stock, String(place)) });
    return entry;
  }

  dropOwn(key: string): void {
    this.#save({ own: without(this.#kept.own, key) });
  }

  /** Places of the stock that are in this state. */
  stock(state: 'making' | 'ready'): number[] {
    return Object.entries(this.#kept.stock).flatMap(([place, each]) => (each === state ? [Number(place)] : []));
  }

  /** A free place, noted as being made. Throws when none is left. */
  beginStock(): number {
    this.#lastPlace = freePlace(this.#lastPlace, this.#pairs(), this.#places());
    this.#save({ stock: { ...this.#kept.stock, [this.#lastPlace]: 'making' } });
    return this.#lastPlace;
  }

  readyStock(place: number): void {
    this.#save({ stock: { ...this.#kept.stock, [place]: 'ready' } });
  }

  dropStock(place: number): void {
    this.#save({ stock: without(this.#kept.stock, String(place)) });
  }

  /** The lasting address of a link's target, taken when it has none. Throws when none is left. */
  target(spaceId: string, target: string): string {
    const key = targetKey(spaceId, target);
    const known = this.#kept.targets[key];
    if (known !== undefined) return this.address(known);
    this.#lastPlace = freePlace(this.#lastPlace, this.#pairs(), this.#places());
    this.#save({ targets: { ...this.#kept.targets, [key]: this.#lastPlace } });
    return this.address(this.#lastPlace);
  }

  /** Gives back the addresses of targets for which `inUse` says no. */
  pruneTargets(inUse: (spaceId: string, target: string) => boolean): void {
    const kept = Object.entries(this.#kept.targets);
    const used = kept.filter(([key]) => {
      const [spaceId, target] = JSON.parse(key) as readonly [string, string];
      return inUse(spaceId, target);
    });
    if (used.length < kept.length) this.#save({ targets: Object.fromEntries(used) });
  }

  #pairs(): Set<number> {
    return new Set(Object.values(this.#kept.spaces));
  }

  #places(): Set<number> {
    const { own, stock, targets } = this.#kept;
    const owned = Object.values(own).map(({ place }) => place);
    return new Set([...owned, ...Object.keys(stock).map(Number), ...Object.values(targets), ownGatewayPlace]);
  }

  #save(change: Partial<Kept>): void {
    this.#kept = { ...this.#kept, ...change };
    writeKept(this.#path, this.#kept);
  }
}

const targetKey = (spaceId: string, target: string): string => JSON.stringify([spaceId, target]);

function without<T>(record: Readonly<Record<string, T>>, key: string): Record<string, T> {
  return Object.fromEntries(Object.entries(record).filter(([each]) => each !== key));
}
