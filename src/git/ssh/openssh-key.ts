/** Ed25519 private keys in OpenSSH's own file format (PROTOCOL.key), the only one in which SSH programs read them. */
import type { KeyObject } from 'node:crypto';

const BLOCK = 8;

/** `check` is any 32-bit number; it stands twice in the file, to tell a wrong passphrase where there is one. */
export function opensshEd25519(key: KeyObject, check: number): string {
  const { x = '', d = '' } = key.export({ format: 'jwk' });
  const publicPart = Buffer.from(x, 'base64url');
  const checks = Buffer.alloc(8);
  checks.writeUInt32BE(check, 0);
  checks.writeUInt32BE(check, 4);
  const secret = Buffer.concat([
    checks,
    field('ssh-ed25519'),
    field(publicPart),
    field(Buffer.concat([Buffer.from(d, 'base64url'), publicPart])),
    field('berth'),
  ]);
  const padding = Buffer.from(Array.from({ length: (BLOCK - (secret.length % BLOCK)) % BLOCK }, (_, at) => at + 1));
  const whole = Buffer.concat([
    Buffer.from('openssh-key-v1\0'),
    field('none'),
    field('none'),
    field(''),
    Buffer.from([0, 0, 0, 1]),
    field(Buffer.concat([field('ssh-ed25519'), field(publicPart)])),
    field(Buffer.concat([secret, padding])),
  ]);
  const lines = whole.toString('base64').match(/.{1,70}/g) ?? [];
  return ['-----BEGIN OPENSSH PRIVATE KEY-----', ...lines, '-----END OPENSSH PRIVATE KEY-----', ''].join('\n');
}

function field(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
