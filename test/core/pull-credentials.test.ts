import assert from 'node:assert/strict';
import { test } from 'node:test';
import { splitCredentials } from '../../src/core/images/image-source.ts';
import type { Database } from '../../src/core/ports/database.ts';
import { Secret } from '../../src/core/ports/secret.ts';
import { pullCredentials } from '../../src/core/registries/pull-credentials.ts';
import { testCore } from '../support/core.ts';

const digestOf = (host: string, digit = '1'): string => `docker://${host}/team/app@sha256:${digit.repeat(64)}`;

let seconds = 0;

/** The build has ended with this artifact, a second after the one before. */
async function built(
  db: Database,
  buildId: string,
  artifactDigest: string,
  status: 'succeeded' | 'failed' = 'succeeded',
) {
  seconds += 1;
  const at = new Date(1_780_000_000_000 + seconds * 1_000);
  await db.artifacts.insert({ digest: artifactDigest, sizeBytes: 1, processes: {}, buildpack: 'image', createdAt: at });
  await db.builds.advance(buildId, ['queued'], { status, artifactDigest, finishedAt: at, updatedAt: at });
}

test('an image is pulled with what its build was given, then with what the team has for its registry', async (t) => {
  const { core, db, person, createApp } = await testCore(t);
  const [ann, bob] = [await person('ann'), await person('bob')];
  const [shop, mirror] = [await createApp(ann, 'shop', 'ann'), await createApp(ann, 'mirror', 'ann')];
  const others = await createApp(bob, 'stall', 'bob');
  const host = 'reg.example.org:5000';
  const digest = digestOf(host);
  const shown = async (appId: string, asked = digest): Promise<string[]> =>
    (await pullCredentials(db, appId, asked)).map(({ username, password }) => `${username} ${password.reveal()}`);

  assert.deepEqual(await shown(shop), []);
  await core.registries.set(ann, 'ann', { host, username: 'team', password: new Secret('of the team') });
  assert.deepEqual(await shown(shop), ['team of the team']);
  assert.deepEqual(await shown(shop, digestOf('reg.example.org')), []);
  assert.deepEqual(await shown(others), []);

  const source = (reference: string) => ({ source: { kind: 'image', reference: new Secret(reference) } as const });
  const build = await core.builds.create(ann, shop, source(`robot:a%40b%2Fc@${host}/team/app:1`));
  assert.deepEqual(await shown(shop), ['team of the team']);
  await built(db, build.id, digest);
  for (const app of [shop, mirror]) assert.deepEqual(await shown(app), ['robot a@b/c', 'team of the team']);
  assert.deepEqual(await shown(others), []);
  assert.deepEqual(await shown(shop, digestOf(host, '2')), ['team of the team']);

  const newer = await core.builds.create(ann, mirror, source(`robot:newer@${host}/team/app:1`));
  await built(db, newer.id, digest);
  const failed = await core.builds.create(ann, mirror, source(`robot:failed@${host}/team/app:1`));
  await built(db, failed.id, digest, 'failed');
  const plain = await core.builds.create(ann, mirror, source(`${host}/team/app:1`));
  await built(db, plain.id, digest);
  assert.deepEqual(await shown(shop), ['robot newer', 'robot a@b/c', 'team of the team']);
  assert.deepEqual(await shown('00000000-0000-4000-8000-000000000000'), []);
});

test('who signs in stands before the registry', () => {
  const digest = `sha256:${'0'.repeat(64)}`;
  const read: readonly [string, string, string | null][] = [
    ['ubuntu:24.04', 'ubuntu:24.04', null],
    ['reg.example.org:5000/app:1', 'reg.example.org:5000/app:1', null],
    [`app:1@${digest}`, `app:1@${digest}`, null],
    ['ann:secret@reg.example.org:5000/app:1', 'reg.example.org:5000/app:1', 'ann secret'],
    ['ann:secret@app:1', 'app:1', 'ann secret'],
    [`ann:secret@app@${digest}`, `app@${digest}`, 'ann secret'],
    ['ann:a%3Ab%40c%2f%25@reg.example.org/app', 'reg.example.org/app', 'ann a:b@c/%'],
    ['ann:50%@reg.example.org/app', 'reg.example.org/app', 'ann 50%'],
  ];
  for (const [text, reference, who] of read) {
    const { own, ...rest } = splitCredentials(text);
    assert.equal(rest.reference, reference);
    assert.equal(own && `${own.username} ${own.password.reveal()}`, who);
  }
});
