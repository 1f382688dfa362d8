import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { type CertificateInput, checkCertificate } from '../../src/core/certificates/check-certificate.ts';
import type { RouteCertificate } from '../../src/core/ports/router.ts';
import { Secret } from '../../src/core/ports/secret.ts';
import { makeCertificate } from '../router/support/certificates.ts';
import { testCore } from '../support/core.ts';
import { refusedAs } from '../support/sign-in.ts';

const DAY_MS = 24 * 60 * 60_000;
const inputOf = (
  pair: RouteCertificate,
  change: Partial<Record<'certificate' | 'key', string>> = {},
): CertificateInput => ({
  certificatePem: change.certificate ?? pair.certificatePem,
  privateKeyPem: new Secret(change.key ?? pair.privateKeyPem),
});
/** A certificate that was made a moment ago is valid by now. */
const now = new Date(Date.now() + 60_000);

test('a pair that fits is taken, in every form that people have it in', async (t) => {
  const pair = await makeCertificate(t, ['shop.example.test', '*.example.test']);
  if (pair === null) return;
  const checked = checkCertificate('shop.example.test', inputOf(pair), now);
  assert.deepEqual(
    [checked.subject, checked.issuer, checked.keyType],
    ['CN=shop.example.test', 'CN=shop.example.test', 'ec prime256v1'],
  );
  assert.equal(checked.validUntil.getTime() - checked.validFrom.getTime(), 2 * DAY_MS);
  assert.match(checked.fingerprint, /^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
  for (const host of ['*.example.test', 'other.example.test']) checkCertificate(host, inputOf(pair), now);
  const sec1 = createPrivateKey(pair.privateKeyPem).export({ type: 'sec1', format: 'pem' }).toString();
  const chain = await makeCertificate(t, ['ca.test'], ['rsa:2048']);
  if (chain === null) return;
  const loose = inputOf(pair, {
    certificate: `Bag Attributes\r\n${pair.certificatePem.replaceAll('\n', '\r\n')}\n\n${chain.certificatePem}`,
    key: `\n${sec1}`,
  });
  const mended = checkCertificate('shop.example.test', loose, now);
  assert.equal(mended.certificatePem, pair.certificatePem + chain.certificatePem);
  assert.equal(mended.privateKeyPem.reveal(), checked.privateKeyPem.reveal());
  assert.equal(checkCertificate('ca.test', inputOf(chain), now).keyType, 'rsa 2048');
});

test('what cannot serve is refused, each with its reason, and never with the key', async (t) => {
  const pair = await makeCertificate(t, ['shop.example.test', '*.shop.example.test']);
  const other = await makeCertificate(t, ['other.test']);
  const weak = await makeCertificate(t, ['weak.test'], ['rsa:1024']);
  const odd = await makeCertificate(t, ['odd.test'], ['ec', '-pkeyopt', 'ec_paramgen_curve:secp256k1']);
  if (pair === null || other === null || weak === null || odd === null) return;
  const locked = createPrivateKey(pair.privateKeyPem)
    .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' })
    .toString();
  const lockedSec1 = createPrivateKey(pair.privateKeyPem)
    .export({ type: 'sec1', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' })
    .toString();
  const halfCertificate = pair.certificatePem.slice(0, 200);
  const brokenCertificate = pair.certificatePem.replace(/\nMII.{20}/, '\nMIIAAAAAAAAAAAAAAAAAAAAA');
  const brokenKey = pair.privateKeyPem.replace(/\nMI.{20}/, '\nMIAAAAAAAAAAAAAAAAAAAA');
  const host = 'shop.example.test';
  const cases: readonly (readonly [code: string, host: string, input: CertificateInput, at?: Date])[] = [
    ['certificate-missing', host, inputOf(pair, { certificate: ' ' })],
    ['certificate-malformed', host, inputOf(pair, { certificate: 'hello' })],
    ['certificate-malformed', host, inputOf(pair, { certificate: halfCertificate })],
    ['certificate-malformed', host, inputOf(pair, { certificate: brokenCertificate })],
    ['certificate-malformed', host, inputOf(pair, { certificate: pair.privateKeyPem })],
    ['certificate-malformed', host, inputOf(pair, { certificate: pair.certificatePem.repeat(11) })],
    ['certificate-too-long', host, inputOf(pair, { certificate: `${pair.certificatePem}${' '.repeat(100_000)}` })],
    ['key-missing', host, inputOf(pair, { key: '' })],
    ['key-malformed', host, inputOf(pair, { key: 'hello' })],
    ['key-malformed', host, inputOf(pair, { key: brokenKey })],
    ['key-malformed', host, inputOf(pair, { key: pair.certificatePem })],
    ['key-too-long', host, inputOf(pair, { key: `${pair.privateKeyPem}${' '.repeat(100_000)}` })],
    ['key-encrypted', host, inputOf(pair, { key: locked })],
    ['key-encrypted', host, inputOf(pair, { key: lockedSec1 })],
    ['key-mismatch', host, inputOf(pair, { key: other.privateKeyPem })],
    ['key-mismatch', host, inputOf(pair, { certificate: other.certificatePem + pair.certificatePem })],
    ['certificate-not-yet-valid', host, inputOf(pair), new Date(now.getTime() - DAY_MS)],
    ['certificate-expired', host, inputOf(pair), new Date(now.getTime() + 3 * DAY_MS)],
    ['certificate-host', 'example.test', inputOf(pair)],
    ['certificate-host', 'a.b.shop.example.test', inputOf(pair)],
    ['certificate-host', '*.example.test', inputOf(pair)],
    ['certificate-host', '*.shop.example.test', inputOf(other)],
    ['key-too-weak', 'weak.test', inputOf(weak)],
    ['certificate-unusable', 'odd.test', inputOf(odd)],
  ];
  for (const [code, name, input, at] of cases)
    assert.throws(
      () => checkCertificate(name, input, at ?? now),
      (error) => {
        for (const secret of input.privateKeyPem.reveal().match(/[A-Za-z0-9+/]{30,}/g) ?? [])
          assert.ok(!inspect(error, { depth: 9 }).includes(secret), code);
        return refusedAs('invalid', code)(error);
      },
      `${code} ${name}`,
    );
});

test('of a domain: set, shown without its key, replaced, removed; told in events', async (t) => {
  const { core, db, person, createApp } = await testCore(t);
  const [ann, bob] = [await person('ann'), await person('bob')];
  const [shop, bank] = [await createApp(ann, 'shop', 'ann'), await createApp(bob, 'bank', 'bob')];
  const pair = await makeCertificate(t, ['shop.example.test']);
  const next = await makeCertificate(t, ['shop.example.test', 'new.example.test']);
  if (pair === null || next === null) return;
  const { id } = await core.domains.add(ann, shop, { hostname: 'shop.example.test' });
  await core.domains.add(bob, bank, { hostname: 'shop.example.test', pathPrefix: '/bank' });
  assert.equal((await core.domains.get(ann, shop, id)).certificate, null);

  const set = await core.domains.setCertificate(ann, shop, 'Shop.example.test', inputOf(pair));
  const listed = await core.domains.list(ann, shop);
  assert.deepEqual(listed, [set]);
  assert.equal(set.certificate?.subject, 'CN=shop.example.test');
  const key = pair.privateKeyPem.split('\n')[1] ?? '';
  assert.ok(key.length > 40 && !inspect(listed, { depth: 9 }).includes(key));
  await assert.rejects(core.domains.setCertificate(bob, bank, id, inputOf(next)), refusedAs('not-found'));
  await assert.rejects(core.domains.removeCertificate(bob, bank, id), refusedAs('not-found'));
  // Two apps share the host: its certificate is that of whoever has the shorter path, however late it is set.
  await core.domains.setCertificate(bob, bank, 'shop.example.test', inputOf(next));
  const served = async () =>
    (await db.certificates.served()).map((item) => [item.hostname, item.certificatePem, item.privateKeyPem?.reveal()]);
  assert.deepEqual(await served(), [['shop.example.test', pair.certificatePem, pair.privateKeyPem]]);

  const replaced = await core.domains.setCertificate(ann, shop, id, inputOf(next));
  assert.notEqual(replaced.certificate?.fingerprint, set.certificate?.fingerprint);
  await core.domains.removeCertificate(bob, bank, 'shop.example.test');
  assert.deepEqual(await served(), [['shop.example.test', next.certificatePem, next.privateKeyPem]]);
  assert.equal((await core.domains.removeCertificate(ann, shop, id)).certificate, null);
  await core.domains.removeCertificate(ann, shop, id);
  assert.deepEqual(await served(), []);

  const events = (await db.events.list({ appId: shop, kinds: ['CertificateSet', 'CertificateRemoved'] }, { limit: 9 }))
    .items;
  assert.deepEqual(
    events.map(({ kind, data }) => [kind, data.domain, data.replaced]),
    [
      ['CertificateRemoved', 'shop.example.test', undefined],
      ['CertificateSet', 'shop.example.test', true],
      ['CertificateSet', 'shop.example.test', false],
    ],
  );
});

test('a domain comes with its certificate, or not at all; both go with the app', async (t) => {
  const { core, db, person, createApp } = await testCore(t);
  const ann = await person('ann');
  const shop = await createApp(ann, 'shop', 'ann');
  const pair = await makeCertificate(t, ['shop.example.test']);
  if (pair === null) return;
  await assert.rejects(
    core.domains.add(ann, shop, { hostname: 'wrong.example.test' }, inputOf(pair)),
    refusedAs('invalid', 'certificate-host'),
  );
  assert.deepEqual(await core.domains.list(ann, shop), []);
  const added = await core.domains.add(ann, shop, { hostname: 'shop.example.test' }, inputOf(pair));
  assert.deepEqual(await core.domains.list(ann, shop), [added]);
  assert.equal((await db.certificates.served()).length, 1);
  await core.apps.remove(ann, shop);
  assert.equal((await db.certificates.served()).length, 0);
});
