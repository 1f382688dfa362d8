import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type Actor, systemActor } from '../../src/core/access/actor.ts';
import { Secret } from '../../src/core/ports/secret.ts';
import { type TestCore, testCore } from '../support/core.ts';
import { refusedAs, signIn } from '../support/sign-in.ts';

interface Scene extends TestCore {
  readonly ann: Actor;
  /** Bob as he is with his next request. */
  bob(): Promise<Actor>;
  readonly shop: string;
  readonly bank: string;
}

/** Ann has two apps; Bob is somebody else. */
async function scene(t: TestContext): Promise<Scene> {
  const made = await testCore(t);
  const [ann, bob] = [await made.person('ann'), await made.person('bob')];
  const [shop, bank] = [await made.createApp(ann, 'shop', 'ann'), await made.createApp(ann, 'bank', 'ann')];
  return { ...made, ann, bob: await signIn(made.core, bob), shop, bank };
}

async function withBob(t: TestContext): Promise<Scene> {
  const made = await scene(t);
  const { token } = await made.core.collaborators.invite(made.ann, made.shop, 'bob@berth.test');
  await made.core.collaborators.accept(await made.bob(), token);
  return made;
}

test('invited, accepted, removed: access comes and goes at once, to that one app', async (t) => {
  const { core, db, ann, bob, shop, bank } = await scene(t);
  const { collaborator, token } = await core.collaborators.invite(ann, shop, ' Bob@Berth.test');
  assert.deepEqual(
    [collaborator.email, collaborator.status, collaborator.username, collaborator.userId],
    ['bob@berth.test', 'pending', null, null],
  );
  assert.ok(!JSON.stringify(await core.collaborators.list(ann, shop)).includes(token.reveal()));
  assert.deepEqual(await core.collaborators.list(ann, shop), [collaborator]);
  await assert.rejects(core.apps.get(await bob(), shop), refusedAs('not-found'));

  assert.equal((await core.collaborators.accept(await bob(), token)).name, 'shop');
  const [accepted] = await core.collaborators.list(ann, shop);
  assert.deepEqual([accepted?.status, accepted?.username, accepted?.id], ['accepted', 'bob', collaborator.id]);
  assert.equal((await core.apps.get(await bob(), 'shop')).id, shop);
  const listed = async () => (await core.apps.list(await bob(), {}, { limit: 10 })).items.map((app) => app.name);
  assert.deepEqual(await listed(), ['shop']);
  await assert.rejects(core.apps.get(await bob(), bank), refusedAs('not-found'));
  await assert.rejects(core.collaborators.accept(await bob(), token), refusedAs('not-found'), 'works once');

  await core.collaborators.remove(ann, shop, 'BOB@berth.test');
  await assert.rejects(core.apps.get(await bob(), shop), refusedAs('not-found'));
  assert.deepEqual(await listed(), []);
  assert.deepEqual(await core.collaborators.list(ann, shop), []);

  const kinds = ['CollaboratorInvited', 'CollaboratorAccepted', 'CollaboratorRemoved'] as const;
  const events = (await db.events.list({ appId: shop, kinds }, { limit: 10 })).items;
  const person = { id: collaborator.id, email: 'bob@berth.test' };
  assert.deepEqual(
    events.map(({ kind, actorName, data }) => [kind, actorName, data]),
    [
      ['CollaboratorRemoved', 'ann', { app: 'shop', collaborator: { ...person, username: 'bob' } }],
      [
        'CollaboratorAccepted',
        'bob',
        {
          app: 'shop',
          collaborator: { ...person, username: 'bob' },
          inviter: { username: 'ann', email: 'ann@berth.test' },
        },
      ],
      ['CollaboratorInvited', 'ann', { app: 'shop', collaborator: person }],
    ],
  );
});

test('a collaborator may do all on the app but what is the owners’', async (t) => {
  const { core, bob, shop } = await withBob(t);
  const actor = await bob();
  await core.processes.create(actor, shop, { type: 'web' });
  await core.processes.scale(actor, shop, 'web', 2);
  await core.processes.restart(actor, shop, 'web');
  await core.config.update(actor, shop, { A: '1' });
  await core.config.list(actor, shop);
  await core.apps.update(actor, shop, { description: 'ours' });
  await core.apps.setFeature(actor, shop, 'x', true);
  await core.apps.setMaintenance(actor, shop, true);
  await core.apps.restart(actor, shop);
  const archive = { kind: 'archive', url: new Secret('https://example.test/a.tgz'), checksum: null } as const;
  await core.builds.create(actor, shop, { source: archive });
  await core.instances.list(actor, shop);
  await core.logs.read(actor, shop, { lines: 1, follow: false });
  await core.events.list(actor, { appId: shop }, { limit: 1 });
  const domain = await core.domains.add(actor, shop, { hostname: 'shop.example.test' });
  await core.domains.remove(actor, shop, domain.id);
  assert.equal((await core.collaborators.list(actor, shop)).length, 1);

  const forbidden = refusedAs('forbidden', 'permission');
  await assert.rejects(core.apps.remove(actor, shop), forbidden);
  await assert.rejects(core.appOwnership.rename(actor, shop, 'mine'), forbidden);
  await assert.rejects(core.appOwnership.transfer(actor, shop, { team: 'bob' }), forbidden);
  await assert.rejects(core.appOwnership.transfer(actor, shop, { user: 'bob' }), forbidden);
  await assert.rejects(core.collaborators.invite(actor, shop, 'eve@berth.test'), forbidden);
  await assert.rejects(core.collaborators.remove(actor, shop, 'bob@berth.test'), forbidden);
  await assert.rejects(core.quotas.setOfApp(actor, shop, 100), forbidden);
  await assert.rejects(core.apps.create(actor, { name: 'x', team: 'ann', spaceId: '' }), forbidden);
  await assert.rejects(core.teams.get(actor, 'ann'), refusedAs('not-found'));
});

test('the token lets accept, under any account; the address alone does not', async (t) => {
  const { core, ann, bob, shop, bank, person } = await scene(t);
  const eve = await signIn(core, await person('eve'));
  const { token } = await core.collaborators.invite(ann, shop, 'bob@elsewhere.test');
  for (const guess of ['', 'x', 'bob@elsewhere.test'])
    await assert.rejects(core.collaborators.accept(await eve(), new Secret(guess)), refusedAs('not-found'));
  await assert.rejects(core.collaborators.accept(systemActor, token), refusedAs('forbidden', 'no-user'));
  await assert.rejects(core.collaborators.accept(ann, token), refusedAs('conflict', 'already-owner'));
  await core.collaborators.accept(await bob(), token);
  const [accepted] = await core.collaborators.list(ann, shop);
  assert.equal(accepted?.email, 'bob@berth.test', 'the account that accepted is shown');

  const second = await core.collaborators.invite(ann, bank, 'eve@berth.test');
  await core.collaborators.remove(ann, bank, second.collaborator.id);
  await assert.rejects(core.collaborators.accept(await eve(), second.token), refusedAs('not-found'), 'removed');
  const third = await core.collaborators.invite(ann, bank, 'eve@berth.test');
  await core.apps.remove(ann, bank);
  await assert.rejects(core.collaborators.accept(await eve(), third.token), refusedAs('not-found'), 'app deleted');
});

test('each person once an app; owners are no collaborators', async (t) => {
  const { core, ann, bob, shop } = await withBob(t);
  const exists = refusedAs('conflict', 'collaborator-exists');
  await assert.rejects(core.collaborators.invite(ann, shop, 'bob@berth.test'), exists);
  await core.collaborators.invite(ann, shop, 'eve@berth.test');
  await assert.rejects(core.collaborators.invite(ann, shop, 'EVE@berth.test'), exists);
  const { token } = await core.collaborators.invite(ann, shop, 'bob@elsewhere.test');
  await assert.rejects(core.collaborators.accept(await bob(), token), exists);
  await assert.rejects(core.collaborators.invite(ann, shop, 'ann@berth.test'), refusedAs('conflict', 'already-owner'));
  await assert.rejects(core.collaborators.invite(ann, shop, 'nobody'), refusedAs('invalid', 'malformed'));
  const outcomes = await Promise.allSettled(
    Array.from({ length: 4 }, () => core.collaborators.invite(ann, shop, 'kim@berth.test')),
  );
  assert.equal(outcomes.filter((outcome) => outcome.status === 'fulfilled').length, 1);
  assert.equal((await core.collaborators.list(ann, shop)).length, 4);
});

test('one token, many at once: one accepts', async (t) => {
  const { core, ann, bob, shop, person } = await scene(t);
  const people = [await bob(), await person('eve'), await person('kim')];
  const { token } = await core.collaborators.invite(ann, shop, 'bob@berth.test');
  const outcomes = await Promise.allSettled(people.map((actor) => core.collaborators.accept(actor, token)));
  assert.equal(outcomes.filter((outcome) => outcome.status === 'fulfilled').length, 1);
  assert.equal((await core.collaborators.list(ann, shop)).length, 1);
});
