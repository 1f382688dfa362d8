import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { Secret } from '../../src/core/ports/secret.ts';
import { hashPassword, verifyPassword } from '../../src/lib/password.ts';
import { createSecretBox, loadOrCreateKey } from '../../src/lib/secret-box.ts';

const wrap = (text: string): Secret => new Secret(text);
const box = createSecretBox(Buffer.alloc(32, 1), wrap);

test('whatever is sealed opens again, only in its context, with its key, and unchanged', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.string(), fc.nat(), (text, context, at) => {
      const sealed = box.seal(new Secret(text), context);
      assert.equal(box.open(sealed, context).reveal(), text);
      assert.throws(() => box.open(sealed, `${context}x`));
      assert.throws(() => createSecretBox(Buffer.alloc(32, 2), wrap).open(sealed, context));
      const changed = Buffer.from(sealed);
      changed[at % changed.length] = (changed[at % changed.length] ?? 0) ^ 1;
      assert.throws(() => box.open(changed, context));
      assert.throws(() => box.open(sealed.subarray(0, at % sealed.length), context));
    }),
    { numRuns: 50 },
  );
  assert.notDeepEqual(box.seal(new Secret('x'), 'c'), box.seal(new Secret('x'), 'c'), 'a nonce is never used again');
});

test('a digest depends on the key; a key of another length is refused', () => {
  assert.equal(box.digest('a'), box.digest('a'));
  assert.match(box.digest('a'), /^[0-9a-f]{64}$/);
  assert.notEqual(box.digest('a'), createSecretBox(Buffer.alloc(32, 2), wrap).digest('a'));
  assert.throws(() => createSecretBox(Buffer.alloc(31), wrap), TypeError);
});

test('the key file is made once, for us alone, also by many at once; a broken one is an error', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'berth-key-'));
  t.after(() => rm(folder, { recursive: true }));
  const path = join(folder, 'deep', 'key');
  const keys = await Promise.all(Array.from({ length: 8 }, () => loadOrCreateKey(path)));
  assert.equal(new Set(keys.map((key) => key.toString('hex'))).size, 1);
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  assert.deepEqual(await loadOrCreateKey(path), Buffer.from((await readFile(path, 'utf8')).trim(), 'hex'));
  await writeFile(path, 'short');
  await assert.rejects(loadOrCreateKey(path), /does not hold a key/);
});

test('a password verifies against its own hash only', async () => {
  const hash = await hashPassword('correct horse\n🐴');
  assert.match(hash, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  const tries = [
    ['correct horse\n🐴', hash, true],
    ['correct horse', hash, false],
    ['', hash, false],
    ['x', null, false],
    ['x', '$argon2id$v=19$m=9999999,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA', false],
    ['x', 'nonsense', false],
  ] as const;
  const results = await Promise.all(tries.map(([password, stored]) => verifyPassword(password, stored)));
  assert.deepEqual(
    results,
    tries.map(([, , expected]) => expected),
  );
});
