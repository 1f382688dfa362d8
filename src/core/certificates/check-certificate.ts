/** Whether a certificate and a key can serve a host name, told before they are kept rather than by a visitor's browser. */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { type BerthError, invalid } from '../errors.ts';
import { Secret } from '../ports/secret.ts';
import type { Certificate } from './certificate.ts';

export interface CertificateInput {
  /** PEM: the domain's own certificate first, then those that lead to its root. */
  readonly certificatePem: string;
  /** PEM: PKCS #8, PKCS #1 or SEC 1, without a passphrase. */
  readonly privateKeyPem: Secret;
}

export type CheckedCertificate = Omit<Certificate, 'domainId' | 'createdAt'>;

const PEM_MAX = 100_000;
const CHAIN_MAX = 10;
/** What browsers and TLS libraries agree on. */
const keyKinds = new Set(['rsa', 'rsa-pss', 'ec', 'ed25519']);
const keyCurves = new Set(['prime256v1', 'secp384r1', 'secp521r1']);
const RSA_MIN_BITS = 2_048;
/** Stands for any name when a certificate is asked whether it covers a wildcard. */
const ANY_LABEL = 'any-name-below';

const block = /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----[^-]+-----END (?:X509 |TRUSTED )?CERTIFICATE-----/g;

const wrong = (code: string, message: string): BerthError => invalid('certificate', message, code);
const wrongKey = (code: string, message: string): BerthError => invalid('private key', message, code);

/**
 * Reads and checks a pair for a host name (`*.` before it for a wildcard) at a time. Throws `invalid` with one of the codes
 * `certificate-missing`, `certificate-too-long`, `certificate-malformed`, `certificate-not-yet-valid`, `certificate-expired`,
 * `certificate-host`, `certificate-unusable` on `certificate`, or `key-missing`, `key-too-long`, `key-encrypted`, `key-malformed`,
 * `key-mismatch`, `key-too-weak` on `private key`.
 */
export function checkCertificate(hostname: string, input: CertificateInput, now: Date): CheckedCertificate {
  const chain = readChain(input.certificatePem);
  const [own] = chain;
  const key = readKey(input.privateKeyPem.reveal());
  if (own === undefined) throw malformed();
  if (!own.checkPrivateKey(key))
    throw wrongKey(
      'key-mismatch',
      "the key does not belong to the certificate: give the key that its request was made with, and put the domain's own certificate first",
    );
  checkTime(own, now);
  checkHost(own, hostname);
  const { asymmetricKeyDetails: details, asymmetricKeyType: kind = '' } = key;
  const bits = details?.modulusLength;
  if (bits !== undefined && bits < RSA_MIN_BITS)
    throw wrongKey(
      'key-too-weak',
      `the key has ${bits} bits; have a certificate made for a key of at least ${RSA_MIN_BITS}`,
    );
  const checked: CheckedCertificate = {
    certificatePem: chain.map((item) => item.toString()).join(''),
    privateKeyPem: new Secret(key.export({ type: 'pkcs8', format: 'pem' }).toString()),
    subject: oneLine(own.subject),
    issuer: oneLine(own.issuer),
    fingerprint: own.fingerprint256,
    keyType: [kind, bits ?? details?.namedCurve].filter((part) => part !== undefined).join(' '),
    validFrom: own.validFromDate,
    validUntil: own.validToDate,
  };
  if (!keyKinds.has(kind) || (kind === 'ec' && !keyCurves.has(details?.namedCurve ?? ''))) throw unusable();
  checkUse(checked);
  return checked;
}

function readChain(pem: string): readonly X509Certificate[] {
  if (pem.trim() === '') throw wrong('certificate-missing', 'the certificate is required');
  if (pem.length > PEM_MAX)
    throw wrong(
      'certificate-too-long',
      `the certificate is longer than ${PEM_MAX} characters; leave out what no client needs`,
    );
  const blocks = pem.match(block) ?? [];
  if (blocks.length === 0 || blocks.length > CHAIN_MAX) throw malformed();
  try {
    return blocks.map((text) => new X509Certificate(text));
  } catch {
    throw malformed();
  }
}

const malformed = (): BerthError =>
  wrong(
    'certificate-malformed',
    `the certificate must be PEM: one to ${CHAIN_MAX} blocks from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----`,
  );

/** The texts of OpenSSL's errors are left out: they may quote what was given. */
function readKey(pem: string): KeyObject {
  if (pem.trim() === '') throw wrongKey('key-missing', 'the private key is required');
  if (pem.length > PEM_MAX) throw wrongKey('key-too-long', `the private key is longer than ${PEM_MAX} characters`);
  if (/^(?:-----BEGIN ENCRYPTED PRIVATE KEY-----|Proc-Type:.*ENCRYPTED)/m.test(pem))
    throw wrongKey(
      'key-encrypted',
      'the private key has a passphrase; take it off first: openssl pkey -in key.pem -out open-key.pem',
    );
  try {
    return createPrivateKey({ key: pem, format: 'pem' });
  } catch {
    throw wrongKey(
      'key-malformed',
      'the private key must be PEM: one block from -----BEGIN PRIVATE KEY----- to -----END PRIVATE KEY-----',
    );
  }
}

function checkTime(own: X509Certificate, now: Date): void {
  const { validFromDate, validToDate } = own;
  if (validFromDate > now)
    throw wrong(
      'certificate-not-yet-valid',
      `the certificate is valid from ${validFromDate.toISOString()} only; set it then, or have it made for now`,
    );
  if (validToDate <= now)
    throw wrong(
      'certificate-expired',
      `the certificate was valid until ${validToDate.toISOString()}; have it renewed and set the new one`,
    );
}

function checkHost(own: X509Certificate, hostname: string): void {
  const asked = hostname.startsWith('*.') ? `${ANY_LABEL}${hostname.slice(1)}` : hostname;
  if (own.checkHost(asked, { partialWildcards: false }) !== undefined) return;
  const names = (own.subjectAltName ?? oneLine(own.subject)).slice(0, 500);
  throw wrong(
    'certificate-host',
    `the certificate is not for ${hostname} but for ${names}; have one made whose subjectAltName names ${hostname}`,
  );
}

/** The last word is TLS's own: what it refuses (an algorithm, a curve) would leave the domain without an answer. */
function checkUse({ certificatePem, privateKeyPem }: CheckedCertificate): void {
  try {
    createSecureContext({ cert: certificatePem, key: privateKeyPem.reveal(), minVersion: 'TLSv1.2' });
  } catch {
    throw unusable();
  }
}

const unusable = (): BerthError =>
  wrong(
    'certificate-unusable',
    'no visitor could use this certificate; have one made with SHA-256 for a key of RSA with 2048 bits or of ECDSA on P-256',
  );

/** OpenSSL prints a part a line; commas within a part are escaped already. */
const oneLine = (name: string): string => name.split('\n').join(', ');
