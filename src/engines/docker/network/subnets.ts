/** Which addresses a space has: one part of the pool, its lower half for instances, its upper half for the targets of links. Pure. */
import { isIPv4 } from 'node:net';

export interface Subnet {
  /** As a number. */
  readonly base: number;
  readonly bits: number;
}

/** 509 instances and 511 targets of links in each space. */
export const spaceBits = 22;

const toNumber = (address: string): number => address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
const toAddress = (value: number): string =>
  [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');
const sizeOf = ({ bits }: Subnet): number => 2 ** (32 - bits);

/** Throws for text that is no IPv4 block on its own border. */
export function parseSubnet(text: string): Subnet {
  const [, address, length] = /^(\d{1,3}(?:\.\d{1,3}){3})\/(\d{1,2})$/.exec(text) ?? [];
  const subnet = { base: toNumber(address ?? ''), bits: Number(length) };
  const isWhole = address !== undefined && subnet.bits <= 32 && subnet.base % sizeOf(subnet) === 0;
  if (!isWhole || subnet.base >= 2 ** 32) throw new Error(`not a block of IPv4 addresses: ${text}`);
  return subnet;
}

export const subnetText = ({ base, bits }: Subnet): string => `${toAddress(base)}/${bits}`;
/** What Docker may give to containers. */
export const containerRange = ({ base, bits }: Subnet): string => `${toAddress(base)}/${bits + 1}`;
/** The address that Docker keeps for the network itself. */
export const gatewayOf = ({ base }: Subnet): string => toAddress(base + 1);

/** Whether text is an IPv4 address of the block. */
export const holds = (subnet: Subnet, address: string): boolean =>
  isIPv4(address) && toNumber(address) >= subnet.base && toNumber(address) < subnet.base + sizeOf(subnet);

const overlap = (one: Subnet, other: Subnet): boolean =>
  one.base < other.base + sizeOf(other) && other.base < one.base + sizeOf(one);

/** A part of the pool that nothing in `taken` touches: the lowest after `skip` others; undefined when there is none. */
export function freeSubnet(pool: Subnet, taken: readonly Subnet[], skip = 0): Subnet | undefined {
  let left = skip;
  for (let base = pool.base; base < pool.base + sizeOf(pool); base += 2 ** (32 - spaceBits)) {
    const subnet = { base, bits: spaceBits };
    if (!taken.some((each) => overlap(each, subnet)) && left-- === 0) return subnet;
  }
  return undefined;
}

/** The lowest address for a link's target that is not taken; null when all are. */
export function freePlace(subnet: Subnet, taken: ReadonlySet<string>): string | null {
  const half = sizeOf(subnet) / 2;
  for (let at = subnet.base + half; at < subnet.base + 2 * half - 1; at++) {
    if (!taken.has(toAddress(at))) return toAddress(at);
  }
  return null;
}
