import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Certificate } from '../../src/core/certificates/certificate.ts';
import type { Collaborator } from '../../src/core/collaborators/collaborator.ts';
import type { Domain } from '../../src/core/domains/domain.ts';
import type { Key } from '../../src/core/keys/key.ts';
import type { Hostname } from '../../src/core/names.ts';
import { Secret } from '../../src/core/ports/secret.ts';
import { testDatabase, withClient } from '../support/postgres.ts';
import { at, awkward, ground, id, insertedApp, later, team, unique, user } from './nouns.ts';

const conflict = (code: string) => (error: { kind: string; details: { code: string } }) =>
  error.kind === 'conflict' && error.details.code === code;

const key = (userId: string, change: Partial<Key> = {}): Key => ({
  id: id(),
  userId,
  name: unique('key'),
  type: 'ssh-ed25519',
  content: `ssh-ed25519 AAAA ${awkward}`,
  fingerprint: `SHA256:${unique('print')}`,
  createdAt: at,
  ...change,
});

const collaborator = (appId: string, change: Partial<Collaborator> = {}): Collaborator => ({
  id: id(),
  appId,
  email: `${unique('person')}@example.org`,
  userId: null,
  tokenHash: unique('hash'),
  inviterId: id(),
  inviterName: awkward,
  inviterEmail: 'inviter@example.org',
  createdAt: at,
  acceptedAt: null,
  ...change,
});

const domain = (appId: string, change: Partial<Domain> = {}): Domain => ({
  id: id(),
  appId,
  hostname: `${unique('host')}.example.org` as Hostname,
  pathPrefix: '/',
  replacePrefix: null,
  processType: null,
  port: null,
  createdAt: at,
  ...change,
});

const certificate = (domainId: string, change: Partial<Certificate> = {}): Certificate => ({
  domainId,
  certificatePem: awkward,
  privateKeyPem: new Secret(`key ${awkward}`),
  subject: awkward,
  issuer: 'CN=somebody',
  fingerprint: 'AB:CD',
  keyType: 'rsa 2048',
  validFrom: at,
  validUntil: later,
  createdAt: at,
  ...change,
});

test('keys: of one user, by fingerprint; they go with their user', async (t) => {
  const { db } = await testDatabase(t);
  const [ann, bob] = [user(), user()];
  for (const one of [ann, bob]) await db.users.insert(one);
  const [b, a] = [key(ann.id, { name: 'b' }), key(ann.id, { name: 'a' })];
  for (const one of [b, a]) await db.keys.insert(one);
  assert.deepEqual(await db.keys.listOfUser(ann.id), [a, b]);
  assert.deepEqual(await db.keys.listOfUser(bob.id), []);
  assert.deepEqual(await db.keys.findByFingerprint(a.fingerprint), a);
  assert.equal(await db.keys.findByFingerprint('SHA256:none'), null);
  await assert.rejects(db.keys.insert(key(ann.id, { name: 'a' })), conflict('key-exists'));
  await assert.rejects(db.keys.insert(key(bob.id, { fingerprint: a.fingerprint })), conflict('key-exists'));
  await db.keys.insert(key(bob.id, { name: 'a' }));
  await db.keys.remove(a.id);
  assert.deepEqual(await db.keys.listOfUser(ann.id), [b]);
  await db.users.remove(ann.id);
  assert.equal(await db.keys.findByFingerprint(b.fingerprint), null);
  const racers = Array.from({ length: 4 }, () => key(bob.id, { fingerprint: 'SHA256:one' }));
  const outcomes = await Promise.allSettled(racers.map((one) => db.keys.insert(one)));
  assert.equal(outcomes.filter((outcome) => outcome.status === 'fulfilled').length, 1);
});

test('collaborators: pending, then a user’s; never with the hash in a list', async (t) => {
  const { db } = await testDatabase(t);
  const ann = user({ email: 'ann@example.org' });
  await db.users.insert(ann);
  const [app, other] = [await insertedApp(db), await insertedApp(db)];
  const [one, two] = [collaborator(app.id), collaborator(app.id, { createdAt: later })];
  for (const item of [two, one]) await db.collaborators.insert(item);
  await db.collaborators.insert(collaborator(other.id, { email: one.email }));
  await assert.rejects(
    db.collaborators.insert(collaborator(app.id, { email: one.email })),
    conflict('collaborator-exists'),
  );
  const { tokenHash: _, ...shown } = one;
  const [first, second] = await db.collaborators.list(app.id);
  assert.deepEqual(first, { ...shown, status: 'pending', username: null });
  assert.equal(second?.id, two.id);
  assert.deepEqual(await db.collaborators.lockByToken(one.tokenHash ?? ''), one);
  assert.equal(await db.collaborators.lockByToken(''), null);

  await db.collaborators.accept(one.id, ann.id, later);
  assert.equal(await db.collaborators.lockByToken(one.tokenHash ?? ''), null);
  const [accepted] = await db.collaborators.list(app.id);
  assert.deepEqual(
    [accepted?.status, accepted?.email, accepted?.username, accepted?.acceptedAt],
    ['accepted', 'ann@example.org', ann.username, later],
  );
  assert.deepEqual(await db.collaborators.appIdsOf(ann.id), [app.id]);
  await assert.rejects(db.collaborators.accept(two.id, ann.id, later), conflict('collaborator-exists'));

  const crew = team();
  await db.teams.insert(crew);
  await db.collaborators.removeMembers(app.id, crew.id);
  assert.equal((await db.collaborators.list(app.id)).length, 2);
  await db.teams.addMember({ teamId: crew.id, userId: ann.id, createdAt: at });
  await db.collaborators.removeMembers(app.id, crew.id);
  assert.deepEqual(
    (await db.collaborators.list(app.id)).map((item) => item.id),
    [two.id],
  );
  assert.deepEqual(await db.collaborators.appIdsOf(ann.id), []);
  await db.collaborators.remove(two.id);
  await db.apps.purge(other.id);
  assert.deepEqual([...(await db.collaborators.list(app.id)), ...(await db.collaborators.list(other.id))], []);
});

test('certificates: the key is sealed for its domain; one a host is served, that of the shortest path', async (t) => {
  const { db, connection, box } = await testDatabase(t);
  const on = await ground(db);
  const [app, other, leaving] = [await insertedApp(db, on), await insertedApp(db, on), await insertedApp(db, on)];
  const root = domain(app.id, { hostname: 'a.example.org' as Hostname });
  const below = domain(other.id, { hostname: root.hostname, pathPrefix: '/below' });
  const gone = domain(leaving.id);
  for (const one of [below, root, gone]) await db.domains.insert(one);
  for (const one of [below, root, gone]) await db.certificates.set(certificate(one.id, { subject: one.hostname }));
  await db.apps.update(leaving.id, { deletedAt: at });
  const renewed = certificate(root.id, { certificatePem: 'renewed', createdAt: later });
  await db.certificates.set(renewed);
  const { privateKeyPem, ...shown } = renewed;
  assert.deepEqual(await db.certificates.list(app.id), [shown]);
  const served = async () =>
    (await db.certificates.served()).map((item) => [
      item.hostname,
      item.certificatePem,
      item.privateKeyPem?.reveal() ?? null,
    ]);
  assert.deepEqual(await served(), [['a.example.org', 'renewed', privateKeyPem.reveal()]]);

  await withClient(connection, async (client) => {
    const { rows } = await client.query<{ private_key: Buffer }>(
      'select private_key from certificates where domain_id = $1',
      [root.id],
    );
    const sealed = rows[0]?.private_key ?? Buffer.alloc(0);
    assert.ok(!sealed.toString('latin1').includes('key '));
    assert.equal(box.open(sealed, `certificate/${root.id}`).reveal(), privateKeyPem.reveal());
    // A row that was swapped in the table does not open, and takes no other with it.
    await client.query(
      'update certificates set private_key = (select private_key from certificates where domain_id = $2) where domain_id = $1',
      [root.id, below.id],
    );
  });
  assert.deepEqual(await served(), [['a.example.org', 'renewed', null]]);
  await db.certificates.remove(root.id);
  assert.deepEqual(await served(), [['a.example.org', awkward, `key ${awkward}`]]);
  await db.domains.remove(below.id);
  assert.deepEqual(await served(), []);
});
