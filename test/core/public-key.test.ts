import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { parsePublicKey } from '../../src/core/keys/public-key.ts';
import { refusedAs } from '../support/sign-in.ts';

/** Lines as ssh-keygen wrote them, and the fingerprints that it prints of them. */
const known = [
  [
    'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAL48e1fdGa0D6HjLlA98hRYoKMlGf8/+13SPqQ0UA8U ann@laptop',
    'SHA256:RHfIz1DFX79qwcgyRIhsFpLwj3zWH36qQDQj8zGwhF4',
  ],
  [
    'ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBKHK6PfVYZlGmpcZwlyRsAEmZ46eQRx5bXBx7O2sQTIbS9J66gZZ9koAwTE4yf9EA44BNgulR3ygcwy7waZMtiM= ann@laptop',
    'SHA256:aDbg47duiXbFu4UzOjmrMUjiBCpgl3jGKgv2qd9aatE',
  ],
  [
    'ecdsa-sha2-nistp384 AAAAE2VjZHNhLXNoYTItbmlzdHAzODQAAAAIbmlzdHAzODQAAABhBMjdQ16dWd1IxPikx+kUB3dwTfVKsGrSjajqKB/vJswg33YUfcXIYB+TJJlIkCOB+mCnrjD4e1n20AZSmvIuqFS1cxj8gwf1Xx/A+9ot4MS6qPf18FiDhKnhzGsAJJIqgw== ann@laptop',
    'SHA256:Ikaq1glnOLjF0FZW3KIlxB1igTOX4vuSj5bgXKARPKc',
  ],
  [
    'ecdsa-sha2-nistp521 AAAAE2VjZHNhLXNoYTItbmlzdHA1MjEAAAAIbmlzdHA1MjEAAACFBABYSX1I0aSsw2u2aamqjh5mKWBh8JuJWqY7QyHoOZuFcLeOFO8zUFNok183xr81Jn1mA6/yg6gqdi7UqR56W3trjgG8JCNJXzGur9z7EYrea8pD5TllQi7uLPZJMtxYtBekoYYfnMPTxjzDoEQIVwzeYqp7gS0JOkNfjL9MZOBYvQit+g== ann@laptop',
    'SHA256:UNrpbzeZm0ldzBaZfop67WBFUMePAQfWrnuffXNr2Lk',
  ],
  [
    'ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQDdXJIPvVhUq5oP7jqwB/rNgq7UgtasSdfSEE64u4AE5zBDSeIsgIw2GLFbwtpp9VwkfCTaMiuMkuTUOoGr/fuFghLwUWp5iLxm18eMULACAfoR9qocdlU7L2ADUZ2ea3Gi10o5emAi6HCnpyGCaSSI4J4jpb8Ljx7PnWtfFRz9gIys5UdT2OjZJJFlrp5B2cx/26AQAlVh0W97FDrTT8tYPbB23um0U4N0L9qDWlKH8NJ/bRhowJcaCuFnmWxVQUrjiAPEFpXcJYR5aOVFQMuya5RXqnf8QhfX+OFxZQSa8Wr6RlJEeZb2+lUIgeTjO7UP8A+8tkPrtMHqI2XQwsrh ann@laptop',
    'SHA256:Cfa3neByVWaMw0m+jV7m7Mcvxrca+TA3FalFGt41BDY',
  ],
] as const;

const part = (bytes: Buffer | string): Buffer => {
  const content = Buffer.from(bytes);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(content.length);
  return Buffer.concat([length, content]);
};
const line = (type: string, ...parts: readonly (Buffer | string)[]): string =>
  `${type} ${Buffer.concat([part(type), ...parts.map(part)]).toString('base64')}`;
const positive = (bytes: Buffer): Buffer => ((bytes[0] ?? 0) < 0x80 ? bytes : Buffer.concat([Buffer.alloc(1), bytes]));

function rsaNumbers(bits: number): { readonly e: Buffer; readonly n: Buffer } {
  const { e = '', n = '' } = generateKeyPairSync('rsa', { modulusLength: bits }).publicKey.export({ format: 'jwk' });
  return { e: Buffer.from(e, 'base64url'), n: positive(Buffer.from(n, 'base64url')) };
}

function ecPoint(): Buffer {
  const { x = '', y = '' } = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' });
  return Buffer.concat([Buffer.from([4]), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]);
}

const malformed = refusedAs('invalid', 'malformed');
const sk = 'sk-ssh-ed25519@openssh.com';
const skEcdsa = 'sk-ecdsa-sha2-nistp256@openssh.com';

test('lines of ssh-keygen are read, with the fingerprint that it prints', () => {
  for (const [content, fingerprint] of known) {
    const key = parsePublicKey(`  ${content}\n`);
    assert.equal(key.fingerprint, fingerprint);
    assert.equal(key.comment, 'ann@laptop');
    assert.equal(`${key.type} ${key.blob.toString('base64')} ${key.comment}`, content);
    assert.equal(parsePublicKey(content.split(' ').slice(0, 2).join(' ')).comment, '');
    assert.equal(parsePublicKey(content.replace('ann@laptop', 'Änn’s 2nd laptop')).comment, 'Änn’s 2nd laptop');
  }
});

test('keys in security tokens are read', () => {
  const key = Buffer.alloc(32, 9);
  assert.equal(parsePublicKey(line(sk, key, 'ssh:')).type, sk);
  assert.equal(parsePublicKey(line(skEcdsa, 'nistp256', ecPoint(), 'ssh:')).type, skEcdsa);
  assert.throws(() => parsePublicKey(line(sk, key)), malformed);
  assert.throws(() => parsePublicKey(line(skEcdsa, 'nistp256', ecPoint())), malformed);
});

test('RSA needs 2048 bits, an exponent that is one, and each number in one spelling', () => {
  const { e, n } = rsaNumbers(2_048);
  assert.equal(parsePublicKey(line('ssh-rsa', e, n)).type, 'ssh-rsa');
  const weak = rsaNumbers(1_024);
  assert.throws(() => parsePublicKey(line('ssh-rsa', weak.e, weak.n)), refusedAs('invalid', 'key-too-weak'));
  // The same key with a needless zero would have another fingerprint, and so another owner.
  assert.throws(() => parsePublicKey(line('ssh-rsa', Buffer.concat([Buffer.alloc(1), e]), n)), malformed);
  assert.throws(() => parsePublicKey(line('ssh-rsa', e, Buffer.concat([Buffer.alloc(1), n]))), malformed);
  assert.throws(() => parsePublicKey(line('ssh-rsa', e, n.subarray(1))), malformed, 'negative');
  for (const exponent of [Buffer.from([1]), Buffer.from([4]), Buffer.alloc(0), Buffer.from([0])])
    assert.throws(() => parsePublicKey(line('ssh-rsa', exponent, n)), malformed);
  const huge = Buffer.concat([Buffer.from([0x7f]), Buffer.alloc(2_050, 1)]);
  assert.throws(() => parsePublicKey(line('ssh-rsa', e, huge)), refusedAs('invalid', 'too-long'));
});

test('what is no public key is refused, each with its reason', () => {
  const [ed25519] = known[0];
  const [, encoded = ''] = ed25519.split(' ');
  const cases: readonly (readonly [content: string, code: string])[] = [
    ['', 'missing'],
    [' \n', 'missing'],
    ['x'.repeat(20_000), 'too-long'],
    ['-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk=\n-----END OPENSSH PRIVATE KEY-----', 'key-private'],
    ['ssh-ed25519', 'malformed'],
    [`${ed25519}\n${ed25519}`, 'malformed'],
    [`command="sh" ${ed25519}`, 'key-type'],
    [`ssh-dss ${encoded}`, 'key-type'],
    [`constructor ${encoded}`, 'key-type'],
    [`ssh-rsa ${encoded}`, 'malformed'],
    [`ssh-ed25519 ${encoded.slice(0, -4)}`, 'malformed'],
    [`ssh-ed25519 ${encoded}AAAA`, 'malformed'],
    [`ssh-ed25519 ${encoded.slice(0, 10)}!${encoded.slice(10)}`, 'malformed'],
    ['ssh-ed25519 AAAA', 'malformed'],
    [line('ssh-ed25519', Buffer.alloc(31)), 'malformed'],
    [line('ecdsa-sha2-nistp256', 'nistp384', ecPoint()), 'malformed'],
    [line('ecdsa-sha2-nistp256', 'nistp256', ecPoint().fill(7, 1)), 'malformed'],
    [line('ecdsa-sha2-nistp256', 'nistp256', Buffer.concat([Buffer.from([2]), ecPoint().subarray(1)])), 'malformed'],
  ];
  for (const [content, code] of cases)
    assert.throws(() => parsePublicKey(content), refusedAs('invalid', code), content.slice(0, 80));
});
