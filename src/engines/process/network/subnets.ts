/**
 * Addresses for the networks of an install: a /20, chosen so that nothing the host already routes is shadowed. Spaces take /30 pairs from
 * its lower end; networks of single instances, and links, take one address each from its upper end. Pure but for reading.
 */
import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';

export interface Range {
  readonly base: number;
  readonly size: number;
}

export interface SpaceAddresses {
  /** The host's end: the space's gateway, and where add-ons listen for it. */
  readonly gateway: string;
  readonly address: string;
}

export const blockSize = 4_096;
const firstBlock = toNumber('10.128.0.0');
const blocks = 2_048;
/** /30 networks in an install's block: as many spaces at once, when they have it alone. */
export const spacesPerInstall = blockSize / 4;
/** The place of the host's end of all networks of single instances. */
export const ownGatewayPlace = blockSize - 2;

export function toNumber(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

export function toAddress(number: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.');
}

/** The first block, from the install's own place on, that touches none of `taken`. */
export function chooseBlock(installId: string, taken: readonly Range[]): Range {
  const start = Number.parseInt(installId.slice(0, 8), 16) % blocks;
  for (let step = 0; step < blocks; step++) {
    const base = firstBlock + ((start + step) % blocks) * blockSize;
    const hit = taken.some((range) => range.base < base + blockSize && base < range.base + range.size);
    if (!hit) return { base, size: blockSize };
  }
  throw new Error('no free addresses for the networks of spaces');
}

export function addressesOf(block: Range, index: number): SpaceAddresses {
  return { gateway: toAddress(block.base + index * 4 + 1), address: toAddress(block.base + index * 4 + 2) };
}

/** The lowest pair for a space; `spaces` are pairs and `places` single addresses that are taken. Throws when none is left. */
export function freePair(spaces: ReadonlySet<number>, places: ReadonlySet<number>): number {
  const pairs = new Set([...places].map((place) => Math.floor(place / 4)));
  for (let index = 0; index < spacesPerInstall; index++) if (!spaces.has(index) && !pairs.has(index)) return index;
  throw new Error('no network is left for another space');
}

/** The next single address below `before`, and round: one that was just given back is not given out again soon. */
export function freePlace(before: number, spaces: ReadonlySet<number>, places: ReadonlySet<number>): number {
  for (let step = 1; step <= blockSize; step++) {
    const place = (before - step + blockSize) % blockSize;
    if (place !== ownGatewayPlace && !places.has(place) && !spaces.has(Math.floor(place / 4))) return place;
  }
  throw new Error('no network is left for another instance');
}

/** What the host routes now, without its default route; interfaces that `ours` accepts do not count. */
export function routedRanges(ours: (name: string) => boolean): Range[] {
  const ranges: Range[] = [];
  for (const [name, addresses] of Object.entries(networkInterfaces())) {
    if (ours(name)) continue;
    for (const { family, address } of addresses ?? []) {
      if (family === 'IPv4') ranges.push({ base: toNumber(address), size: 1 });
    }
  }
  let table = '';
  try {
    table = readFileSync('/proc/net/route', 'latin1');
  } catch {
    return ranges;
  }
  for (const line of table.split('\n').slice(1)) {
    const [name, destination, , , , , , mask] = line.split('\t');
    if (name === undefined || destination === undefined || mask === undefined || ours(name.trim())) continue;
    const size = 2 ** 32 - littleEndian(mask);
    if (size < 2 ** 32) ranges.push({ base: littleEndian(destination), size });
  }
  return ranges;
}

/** The kernel prints addresses as the hex of a little-endian word. */
function littleEndian(hex: string): number {
  return Buffer.from(hex, 'hex').reverse().readUInt32BE();
}
