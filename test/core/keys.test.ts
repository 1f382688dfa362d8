import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemActor } from '../../src/core/access/actor.ts';
import { parsePublicKey } from '../../src/core/keys/public-key.ts';
import { testCore } from '../support/core.ts';
import { refusedAs } from '../support/sign-in.ts';

const content = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAL48e1fdGa0D6HjLlA98hRYoKMlGf8/+13SPqQ0UA8U ann@laptop';
const other =
  'ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBKHK6PfVYZlGmpcZwlyRsAEmZ46eQRx5bXBx7O2sQTIbS9J66gZZ9koAwTE4yf9EA44BNgulR3ygcwy7waZMtiM=';

test('a key is its user’s alone, and lets them in until it is removed', async (t) => {
  const { core, db, person, createApp } = await testCore(t);
  const [ann, bob] = [await person('ann'), await person('bob')];
  const { blob, fingerprint } = parsePublicKey(content);
  assert.equal(await core.authenticator.byKey(blob), null);
  const key = await core.keys.add(ann, { name: ' laptop ', content: `\n${content}  ` });
  assert.deepEqual([key.name, key.content, key.fingerprint], ['laptop', content, fingerprint]);
  assert.deepEqual(await core.keys.list(ann), [key]);
  assert.deepEqual(await core.keys.get(ann, key.id), key);
  assert.deepEqual(await core.keys.get(ann, 'laptop'), key);

  assert.deepEqual(await core.keys.list(bob), []);
  for (const reference of [key.id, 'laptop']) {
    await assert.rejects(core.keys.get(bob, reference), refusedAs('not-found'));
    await assert.rejects(core.keys.remove(bob, reference), refusedAs('not-found'));
  }
  const again = { name: 'mine', content: content.replace('ann@laptop', 'bob') };
  await assert.rejects(core.keys.add(bob, again), refusedAs('conflict', 'key-exists'));
  await assert.rejects(core.keys.add(ann, { name: 'laptop', content: other }), refusedAs('conflict', 'key-exists'));
  assert.equal((await core.keys.add(bob, { name: 'laptop', content: other })).content, other);

  const app = await createApp(ann, 'shop', 'ann');
  for (const reference of [blob, fingerprint]) {
    const actor = await core.authenticator.byKey(reference);
    assert.ok(actor !== null);
    assert.deepEqual([actor.name, actor.tokenId, actor.userId], ['ann', null, ann.userId]);
    assert.equal((await core.apps.get(actor, app)).name, 'shop');
  }
  assert.equal((await core.authenticator.byKey(parsePublicKey(other).blob))?.name, 'bob');
  await db.users.update(bob.userId ?? '', { disabled: true });
  assert.equal(await core.authenticator.byKey(parsePublicKey(other).blob), null);

  assert.deepEqual(await core.keys.remove(ann, key.id), key);
  assert.equal(await core.authenticator.byKey(blob), null);
  await assert.rejects(core.keys.get(ann, key.id), refusedAs('not-found'));
  const events = (await db.events.list({ kinds: ['KeyAdded', 'KeyRemoved'], actorName: 'ann' }, { limit: 10 })).items;
  assert.deepEqual(
    events.map(({ kind, data }) => [kind, data]),
    [
      ['KeyRemoved', { key: 'laptop', fingerprint }],
      ['KeyAdded', { key: 'laptop', fingerprint }],
    ],
  );
});

test('a key needs a user and a name; it goes with its user', async (t) => {
  const { core, person } = await testCore(t);
  const ann = await person('ann');
  await assert.rejects(core.keys.add(systemActor, { name: 'x', content }), refusedAs('forbidden', 'no-user'));
  assert.deepEqual(await core.keys.list(systemActor), []);
  await assert.rejects(core.keys.add(ann, { name: '  ', content }), refusedAs('invalid', 'missing'));
  await assert.rejects(core.keys.add(ann, { name: 'x'.repeat(201), content }), refusedAs('invalid', 'too-long'));
  await assert.rejects(core.keys.add(ann, { name: 'a\nb', content }), refusedAs('invalid', 'malformed'));
  await assert.rejects(core.keys.add(ann, { name: 'x', content: 'nonsense' }), refusedAs('invalid', 'malformed'));
  const { fingerprint } = await core.keys.add(ann, { name: 'x', content });
  await core.users.remove(systemActor, 'ann');
  assert.equal(await core.authenticator.byKey(fingerprint), null);
});
