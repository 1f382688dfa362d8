/**
 * What the router tells an instance about the client: X-Forwarded-*, Forwarded, X-Request-Id. Values that came with the request count
 * only when the connection is from a trusted proxy; anybody else could claim to be anyone.
 */
import { BlockList, isIP } from 'node:net';
import {
  FORWARDED,
  fieldKind,
  REQUEST_ID,
  X_FORWARDED_FOR,
  X_FORWARDED_HOST,
  X_FORWARDED_PORT,
  X_FORWARDED_PROTO,
} from './field-kinds.ts';

/** One side of a client connection as instances and log lines see it. */
export interface ClientIdentity {
  /** Without an IPv6 prefix before an IPv4 address. */
  readonly address: string;
  readonly secure: boolean;
  /** The router's port that the client came to. */
  readonly port: number;
  readonly trusted: boolean;
}

/** The addresses (`10.0.0.1`) and networks (`10.0.0.0/8`) whose forwarded headers are believed. Throws on anything else. */
export function trustedProxies(entries: readonly string[]): BlockList {
  const list = new BlockList();
  for (const entry of entries) {
    const [address = '', bits] = entry.split('/');
    const family = isIP(address);
    if (family === 0) throw new TypeError(`${JSON.stringify(entry)} is no address or network`);
    const type = family === 6 ? 'ipv6' : 'ipv4';
    if (bits === undefined) list.addAddress(address, type);
    else list.addSubnet(address, Number(bits), type);
  }
  return list;
}

/** Who a socket belongs to. */
export function identify(
  remoteAddress: string,
  localPort: number,
  secure: boolean,
  trusted: BlockList | null,
): ClientIdentity {
  const address = remoteAddress.startsWith('::ffff:') ? remoteAddress.slice(7) : remoteAddress;
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
  return { address, secure, port: localPort, trusted: trusted?.check(address, family) ?? false };
}

/** The forwarded header lines for a request, each ended by CRLF, but for the request id. */
export function forwardedLines(client: ClientIdentity, authority: string, fields: readonly string[]): string {
  const given = client.trusted ? readForwarded(fields) : none;
  const scheme = client.secure ? 'https' : 'http';
  const own = forwardedElement(client.address, authority, scheme);
  return (
    `X-Forwarded-For: ${given.for === '' ? client.address : `${given.for}, ${client.address}`}\r\n` +
    `X-Forwarded-Proto: ${given.proto || scheme}\r\n` +
    `X-Forwarded-Host: ${given.host || authority}\r\n` +
    `X-Forwarded-Port: ${given.port || client.port}\r\n` +
    `Forwarded: ${given.forwarded === '' ? own : `${given.forwarded}, ${own}`}\r\n`
  );
}

/** The client's request id when a trusted proxy gave a sane one, else null. */
export function givenRequestId(client: ClientIdentity, fields: readonly string[]): string | null {
  if (!client.trusted) return null;
  for (let at = 0; at < fields.length; at += 2) {
    if (fieldKind(fields[at] as string) !== REQUEST_ID) continue;
    const value = fields[at + 1] as string;
    return /^[\w.:+/=-]{1,128}$/.test(value) ? value : null;
  }
  return null;
}

/** `1.2.3.4`, or the chain that a trusted proxy gave with it: what a log line names as `fwd`. */
export function forwardedChain(client: ClientIdentity, fields: readonly string[]): string {
  const given = client.trusted ? readForwarded(fields).for : '';
  return given === '' ? client.address : `${given}, ${client.address}`;
}

interface Given {
  for: string;
  proto: string;
  host: string;
  port: string;
  forwarded: string;
}

const none: Readonly<Given> = { for: '', proto: '', host: '', port: '', forwarded: '' };

function readForwarded(fields: readonly string[]): Given {
  const given = { ...none };
  for (let at = 0; at < fields.length; at += 2) {
    const name = fields[at] as string;
    const value = fields[at + 1] as string;
    switch (fieldKind(name)) {
      case X_FORWARDED_FOR:
        given.for = given.for === '' ? value : `${given.for}, ${value}`;
        break;
      case X_FORWARDED_PROTO:
        given.proto = value;
        break;
      case X_FORWARDED_HOST:
        given.host = value;
        break;
      case X_FORWARDED_PORT:
        given.port = value;
        break;
      case FORWARDED:
        if (name.toLowerCase() === 'forwarded')
          given.forwarded = given.forwarded === '' ? value : `${given.forwarded}, ${value}`;
        break;
    }
  }
  return given;
}

function forwardedElement(address: string, authority: string, scheme: string): string {
  const node = address.includes(':') ? `"[${address}]"` : address;
  return `for=${node};host="${authority}";proto=${scheme}`;
}
