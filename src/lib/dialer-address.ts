/**
 * Which addresses a user's URL may reach. Pure: no DNS, no sockets. Everything that is not plain public unicast is refused, whatever
 * form the address hides in (IPv4 inside IPv6, NAT64, 6to4).
 */
import { BlockList, isIP, isIPv4 } from 'node:net';

export interface AddressPolicy {
  /** Loopback, RFC 1918, carrier and unique-local addresses are fine too. Link-local and multicast never are, unless listed. */
  readonly allowPrivate: boolean;
  /** Host names, addresses or CIDR blocks that are always fine. */
  readonly allow: readonly string[];
}

const privateRanges = [
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '::1/128',
  'fc00::/7',
];
const neverRanges = [
  '0.0.0.0/8',
  '169.254.0.0/16',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
  '::/128',
  '100::/64',
  '2001::/23',
  '2001:db8::/32',
  '3fff::/20',
  '5f00::/16',
  'fe80::/10',
  'fec0::/10',
  'ff00::/8',
];

const privateList = blockList(privateRanges);
const neverList = blockList(neverRanges);

function blockList(ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) addRange(list, range);
  return list;
}

function addRange(list: BlockList, range: string): void {
  const [address = '', bits] = range.split('/');
  const family = isIPv4(address) ? 'ipv4' : 'ipv6';
  if (bits === undefined) list.addAddress(address, family);
  else list.addSubnet(address, Number(bits), family);
}

/** The 16 bytes of an IPv6 address as eight numbers; null when it is none. */
function ipv6Groups(address: string): number[] | null {
  if (isIP(address) !== 6) return null;
  const withoutZone = address.split('%')[0] ?? '';
  const canonical = new URL(`http://[${withoutZone}]/`).hostname.slice(1, -1);
  const [head = '', tail] = canonical.split('::');
  const parse = (part: string): number[] =>
    part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16));
  const left = parse(head);
  const right = tail === undefined ? [] : parse(tail);
  return [...left, ...new Array<number>(8 - left.length - right.length).fill(0), ...right];
}

/** The IPv4 address that an IPv6 one stands for (mapped, compatible, NAT64, 6to4), or null. */
function embeddedIpv4(address: string): string | null {
  const groups = ipv6Groups(address);
  if (groups === null) return null;
  const quad = (high = 0, low = 0): string => [high >> 8, high & 255, low >> 8, low & 255].join('.');
  const zeros = (from: number, to: number): boolean => groups.slice(from, to).every((group) => group === 0);
  if (zeros(0, 5) && groups[5] === 0xffff) return quad(groups[6], groups[7]);
  if (zeros(0, 6) && !(groups[6] === 0 && (groups[7] ?? 0) <= 1)) return quad(groups[6], groups[7]);
  if (groups[0] === 0x64 && groups[1] === 0xff9b) return quad(groups[6], groups[7]);
  if (groups[0] === 0x2002) return quad(groups[1], groups[2]);
  return null;
}

export interface AddressRules {
  /** Whether a connection to this address may be made for a URL with this host name. */
  isAllowed(host: string, address: string): boolean;
}

/** Compiles a policy. Throws TypeError when the allow-list holds a malformed block. */
export function createAddressRules(policy: AddressPolicy): AddressRules {
  const hosts = new Set<string>();
  const listed = new BlockList();
  for (const entry of policy.allow) {
    if (isIP(entry.split('/')[0] ?? '') === 0) hosts.add(entry.toLowerCase());
    else addRange(listed, entry);
  }
  const contains = (list: BlockList, address: string): boolean =>
    list.check(address.split('%')[0] ?? '', isIPv4(address) ? 'ipv4' : 'ipv6');

  return {
    isAllowed(host, address) {
      if (isIP(address) === 0) return false;
      const real = embeddedIpv4(address) ?? address;
      if (hosts.has(host.toLowerCase()) || contains(listed, address) || contains(listed, real)) return true;
      if (contains(neverList, real)) return false;
      return policy.allowPrivate || !contains(privateList, real);
    },
  };
}
