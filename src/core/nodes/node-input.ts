/** What an operator may say of a node: its address, TLS material and metadata. Pure. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { type BerthError, invalid } from '../errors.ts';
import { hostname } from '../names.ts';
import { type NodeTls, POOL_LABEL } from './node.ts';

const PATH_MAX = 107;
const PEM_MAX = 64 * 1_024;
const NAMES_MAX = 50;
const VALUE_MAX = 256;
const metadataName = /^[A-Za-z0-9](?:[A-Za-z0-9._/-]{0,61}[A-Za-z0-9])?$/;

/** `unix:///path/to/docker.sock` or `tcp://host:port`, always written the same way. Nodes reach each other over IPv4. Throws invalid `address`. */
export function nodeAddress(text: string): string {
  if (/^unix:\/\/\/[^\0\s]+$/.test(text) && text.length <= PATH_MAX + 'unix://'.length) return text;
  const [, host = '', port = ''] = /^tcp:\/\/([^\s:/[\]@]+):(\d{1,5})\/?$/.exec(text) ?? [];
  const number = Number(port);
  if (host === '' || number < 1 || number > 65_535)
    throw invalid('address', 'the address must be tcp://host:port or unix:///path', 'malformed');
  const name = host.toLowerCase();
  if (isIP(name) === 0) hostname(name, 'address');
  return `tcp://${name}:${number}`;
}

/** A CA, a client certificate and the key that belongs to it, all PEM. Throws invalid `tls`; never with what was given. */
export function nodeTls(tls: NodeTls): NodeTls {
  const key = tls.key.reveal();
  if ([tls.ca, tls.certificate, key].some((text) => text.length > PEM_MAX)) throw wrongTls('is too long');
  readCertificate('CA', tls.ca);
  const certificate = readCertificate('certificate', tls.certificate);
  const isOwn = ((): boolean => {
    try {
      return certificate.checkPrivateKey(createPrivateKey({ key, format: 'pem' }));
    } catch {
      throw wrongTls('needs its key as PEM without a passphrase');
    }
  })();
  if (!isOwn) throw wrongTls('has a key that does not belong to its certificate');
  return tls;
}

function readCertificate(what: string, pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch {
    throw wrongTls(`needs its ${what} as PEM`);
  }
}

const wrongTls = (words: string): BerthError => invalid('tls', `the TLS material ${words}`, 'malformed');

/** Metadata after a change; null deletes a name. Throws invalid `metadata`. */
export function changedMetadata(
  before: Readonly<Record<string, string>>,
  change: Readonly<Record<string, string | null>>,
): Record<string, string> {
  const after: Record<string, string> = { ...before };
  for (const [name, value] of Object.entries(change)) {
    checkName(name);
    if (value === null) delete after[name];
    else after[name] = checkValue(name, value);
  }
  if (Object.keys(after).length > NAMES_MAX)
    throw invalid('metadata', `a node has at most ${NAMES_MAX} names of metadata`, 'too-many');
  return after;
}

function checkName(name: string): void {
  if (!metadataName.test(name) || name === '__proto__')
    throw invalid('metadata', 'a name of metadata is letters, digits and inner . _ / -, at most 63', 'malformed');
  if (name.startsWith(POOL_LABEL.replace(/[^.]*$/, '')))
    throw invalid('metadata', "names that start with berth. are the platform's own", 'reserved');
}

function checkValue(name: string, value: string): string {
  if (value.length > VALUE_MAX || /[\0\r\n]/.test(value))
    throw invalid('metadata', `the metadata ${name} must be one line of at most ${VALUE_MAX} characters`, 'malformed');
  return value;
}
