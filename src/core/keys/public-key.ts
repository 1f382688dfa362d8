/**
 * Public keys in OpenSSH's one-line form, `type base64 comment`. The blob's layout is RFC 4253 (RSA), RFC 5656 (ECDSA), RFC 8709
 * (Ed25519) and OpenSSH's PROTOCOL.u2f (`sk-`). Whether the numbers are a key at all (a point on its curve) is asked of OpenSSL.
 */
import { createPublicKey, hash, type JsonWebKeyInput } from 'node:crypto';
import { BerthError, invalid } from '../errors.ts';
import { WireReader } from './wire.ts';

export interface PublicKey {
  readonly type: string;
  /** The key on the wire, as an SSH client sends it. */
  readonly blob: Buffer;
  /** May be empty. */
  readonly comment: string;
  readonly fingerprint: string;
}

type Jwk = JsonWebKeyInput['key'];

const CONTENT_MAX = 16 * 1_024;
const RSA_MIN_BITS = 2_048;
const RSA_MAX_BITS = 16_384;

const curves: Readonly<Record<string, { readonly crv: string; readonly bytes: number }>> = {
  nistp256: { crv: 'P-256', bytes: 32 },
  nistp384: { crv: 'P-384', bytes: 48 },
  nistp521: { crv: 'P-521', bytes: 66 },
};

const base64url = (bytes: Buffer): string => bytes.toString('base64url');

function rsa(reader: WireReader): Jwk {
  const [e, n] = [reader.positive(), reader.positive()];
  // With an exponent of 1 any signature would fit; an even one is no key.
  if (e.length === 1 && e[0] === 1) throw new RangeError('an exponent of 1');
  if (((e.at(-1) ?? 0) & 1) === 0) throw new RangeError('an even exponent');
  const bits = n.length * 8 - Math.clz32(n[0] ?? 0) + 24;
  if (bits < RSA_MIN_BITS)
    throw invalid('content', `an RSA key needs at least ${RSA_MIN_BITS} bits; this one has ${bits}`, 'key-too-weak');
  if (bits > RSA_MAX_BITS)
    throw invalid('content', `an RSA key may have at most ${RSA_MAX_BITS} bits; this one has ${bits}`, 'too-long');
  return { kty: 'RSA', e: base64url(e), n: base64url(n) };
}

const ecdsa =
  (curve: string) =>
  (reader: WireReader): Jwk => {
    const { crv, bytes } = curves[curve] ?? { crv: '', bytes: 0 };
    const [named, point] = [reader.string().toString('latin1'), reader.string()];
    if (named !== curve || point.length !== 1 + 2 * bytes || point[0] !== 4) throw new RangeError('not a point');
    return { kty: 'EC', crv, x: base64url(point.subarray(1, 1 + bytes)), y: base64url(point.subarray(1 + bytes)) };
  };

function ed25519(reader: WireReader): Jwk {
  const key = reader.string();
  if (key.length !== 32) throw new RangeError('not a key of 32 bytes');
  return { kty: 'OKP', crv: 'Ed25519', x: base64url(key) };
}

/** A key in a security token is followed by the application that it was made for. */
const inToken =
  (layout: (reader: WireReader) => Jwk) =>
  (reader: WireReader): Jwk => {
    const key = layout(reader);
    if (reader.string().length === 0) throw new RangeError('no application');
    return key;
  };

const layouts: Readonly<Record<string, (reader: WireReader) => Jwk>> = {
  'ssh-ed25519': ed25519,
  'ssh-rsa': rsa,
  'ecdsa-sha2-nistp256': ecdsa('nistp256'),
  'ecdsa-sha2-nistp384': ecdsa('nistp384'),
  'ecdsa-sha2-nistp521': ecdsa('nistp521'),
  'sk-ssh-ed25519@openssh.com': inToken(ed25519),
  'sk-ecdsa-sha2-nistp256@openssh.com': inToken(ecdsa('nistp256')),
};

/** `SHA256:` and the hash of the blob in base64 without padding. */
export const fingerprintOf = (blob: Uint8Array): string =>
  `SHA256:${hash('sha256', blob, 'base64').replace(/=+$/, '')}`;

/**
 * Reads one line of OpenSSH's public key format; blanks around it are dropped, options before the type are refused. Throws `invalid` on
 * `content`: `missing`, `too-long`, `malformed`, `key-private`, `key-type`, `key-too-weak`.
 */
export function parsePublicKey(content: string): PublicKey {
  const line = content.trim();
  if (line === '') throw invalid('content', 'the public key is required', 'missing');
  if (line.length > CONTENT_MAX)
    throw invalid('content', `a public key is longer than ${CONTENT_MAX} characters`, 'too-long');
  if (line.includes('PRIVATE KEY'))
    throw invalid(
      'content',
      'this is a private key: keep it to yourself and give the line in the .pub file',
      'key-private',
    );
  const [, type = '', encoded = '', comment = ''] = /^(\S+)[ \t]+(\S+)(?:[ \t]+([^\p{Cc}]*))?$/u.exec(line) ?? [];
  if (type === '')
    throw invalid(
      'content',
      'the public key must be one line: its type, the key in base64, and a comment',
      'malformed',
    );
  const layout = Object.hasOwn(layouts, type) ? layouts[type] : undefined;
  if (layout === undefined)
    throw invalid('content', `the type of the key must be one of ${Object.keys(layouts).join(', ')}`, 'key-type');
  const blob = Buffer.from(encoded, 'base64');
  if (blob.toString('base64').replace(/=+$/, '') !== encoded.replace(/=+$/, '')) throw broken(type);
  check(type, blob, layout);
  return { type, blob, comment, fingerprint: fingerprintOf(blob) };
}

function check(type: string, blob: Buffer, layout: (reader: WireReader) => Jwk): void {
  try {
    const reader = new WireReader(blob);
    if (reader.string().toString('latin1') !== type) throw new RangeError('the blob names another type');
    const key = layout(reader);
    if (!reader.atEnd) throw new RangeError('something follows the key');
    createPublicKey({ key, format: 'jwk' });
  } catch (error) {
    throw error instanceof BerthError ? error : broken(type, error);
  }
}

const broken = (type: string, cause?: unknown): BerthError =>
  new BerthError('invalid', `this is not a whole ${type} key; give the line of the .pub file as it is`, {
    field: 'content',
    code: 'malformed',
    ...(cause === undefined ? {} : { cause }),
  });
