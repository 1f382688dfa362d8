import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemActor } from '../../src/core/access/actor.ts';
import { testCore, testPassword } from '../support/core.ts';
import { refusedAs, signIn } from '../support/sign-in.ts';
import { until } from '../support/until.ts';

test('a new name is a new handle; the old one is free; a taken one is refused', async (t) => {
  const { core, db, person, createApp } = await testCore(t);
  const [ann, bob] = [await person('ann'), await person('bob')];
  const shop = await createApp(ann, 'shop', 'ann');
  const woken: string[] = [];
  const stopListening = db.onWake((topic, id) => woken.push(`${topic} ${id}`));
  t.after(stopListening);
  const renamed = await core.appOwnership.rename(ann, 'shop', 'store');
  assert.deepEqual([renamed.id, renamed.name, renamed.handle], [shop, 'store', 'store']);
  await assert.rejects(core.apps.get(ann, 'shop'), refusedAs('not-found'));
  assert.equal((await core.apps.get(ann, 'store')).id, shop);
  await createApp(bob, 'shop', 'bob');
  await assert.rejects(core.appOwnership.rename(ann, 'store', 'shop'), refusedAs('conflict', 'app-exists'));
  await assert.rejects(core.appOwnership.rename(ann, 'store', 'No Name'), refusedAs('invalid', 'malformed'));
  await assert.rejects(core.appOwnership.rename(bob, 'store', 'mine'), refusedAs('not-found'));
  assert.equal((await core.appOwnership.rename(ann, 'store', 'store')).name, 'store');
  const events = (await db.events.list({ appId: shop, kinds: ['AppRenamed'] }, { limit: 10 })).items;
  assert.deepEqual(
    events.map(({ data }) => data),
    [{ app: 'store', oldName: 'shop', newName: 'store', oldHandle: 'shop', newHandle: 'store' }],
  );
  await until('the router hears of it', () => woken.includes(`routing ${shop}`));
});

test('of many renames to one name, one wins', async (t) => {
  const { core, person, createApp } = await testCore(t);
  const ann = await person('ann');
  const apps = await Promise.all(['a', 'b', 'c'].map((name) => createApp(ann, name, 'ann')));
  const outcomes = await Promise.allSettled(apps.map((app) => core.appOwnership.rename(ann, app, 'same')));
  assert.equal(outcomes.filter((outcome) => outcome.status === 'fulfilled').length, 1);
  for (const outcome of outcomes)
    if (outcome.status === 'rejected') refusedAs('conflict', 'app-exists')(outcome.reason);
});

test('to a team: one’s own at once, another’s as if it were not there', async (t) => {
  const { core, db, person, createApp } = await testCore(t);
  const [ann, bob] = [await person('ann'), await person('bob')];
  const shop = await createApp(ann, 'shop', 'ann');
  await core.teams.create(ann, { name: 'crew' });
  const annNow = await signIn(core, ann);
  await assert.rejects(core.appOwnership.transfer(await annNow(), shop, { team: 'bob' }), refusedAs('not-found'));
  await assert.rejects(core.appOwnership.transfer(bob, shop, { team: 'bob' }), refusedAs('not-found'));
  await core.quotas.setOfTeam(systemActor, 'crew', 0);
  await assert.rejects(core.appOwnership.transfer(await annNow(), shop, { team: 'crew' }), refusedAs('quota', 'apps'));
  await core.quotas.setOfTeam(systemActor, 'crew', 1);
  assert.equal((await core.appOwnership.transfer(await annNow(), shop, { team: 'crew' })).teamName, 'crew');
  assert.equal((await core.appOwnership.transfer(await annNow(), shop, { team: 'crew' })).teamName, 'crew');
  assert.equal((await core.appOwnership.transfer(systemActor, shop, { team: 'bob' })).teamName, 'bob');
  await assert.rejects(core.apps.get(await annNow(), shop), refusedAs('not-found'));
  assert.equal((await core.apps.get(bob, shop)).id, shop);
  const owner = (name: string, actor: typeof ann) => ({
    id: actor.userId,
    username: name,
    email: `${name}@berth.test`,
  });
  const events = (await db.events.list({ appId: shop, kinds: ['AppTransferred'] }, { limit: 10 })).items;
  assert.deepEqual(
    events.map(({ data }) => data),
    [
      { app: 'shop', oldTeam: 'crew', newTeam: 'bob', oldOwner: owner('ann', ann), newOwner: owner('bob', bob) },
      { app: 'shop', oldTeam: 'ann', newTeam: 'crew', oldOwner: owner('ann', ann), newOwner: owner('ann', ann) },
    ],
  );
});

test('to a person: only one who accepted to work on the app; the giver may go on working', async (t) => {
  const { core, person, createApp } = await testCore(t);
  const ann = await person('ann');
  const shop = await createApp(ann, 'shop', 'ann');
  // Kim has an account and no team.
  const kim = await core.users.create(systemActor, {
    username: 'kim+1',
    email: 'kim@berth.test',
    password: testPassword,
  });
  const kimNow = await signIn(core, { ...systemActor, userId: kim.id });
  const annNow = await signIn(core, ann);
  const refused = refusedAs('invalid', 'not-collaborator');
  const give = async () => core.appOwnership.transfer(await annNow(), shop, { user: kim.email }, { keepWorking: true });
  await assert.rejects(core.appOwnership.transfer(ann, shop, { user: 'nobody@berth.test' }), refused);
  await assert.rejects(give(), refused);
  const { token } = await core.collaborators.invite(ann, shop, kim.email);
  await assert.rejects(give(), refused, 'an invitation is no consent');
  await core.collaborators.accept(await kimNow(), token);

  assert.equal((await give()).teamName, 'kim-1');
  assert.deepEqual(
    [...(await core.appOwnership.ownersOf([await core.apps.get(await kimNow(), shop)])).values()].map(
      (owner) => owner.email,
    ),
    ['kim@berth.test'],
  );
  const listed = await core.collaborators.list(await kimNow(), shop);
  assert.deepEqual(
    listed.map((item) => [item.email, item.status]),
    [['ann@berth.test', 'accepted']],
  );
  await assert.rejects(core.apps.remove(await annNow(), shop), refusedAs('forbidden'));
  await core.collaborators.remove(await kimNow(), shop, 'ann@berth.test');
  await assert.rejects(core.apps.get(await annNow(), shop), refusedAs('not-found'));
  await core.apps.remove(await kimNow(), shop);
});

test('an app in a space of its team stays there', async (t) => {
  const { core, person } = await testCore(t);
  const ann = await person('ann');
  await core.teams.create(ann, { name: 'crew' });
  const now = await signIn(core, ann);
  const actor = await now();
  const team = await core.teams.get(actor, 'ann');
  const space = await core.spaces.create(actor, { name: 'stage', teamId: team.id });
  const { id, handle } = await core.apps.create(actor, { name: 'shop', team: 'ann', spaceId: space.id });
  assert.equal(handle, 'shop-stage');
  assert.equal((await core.appOwnership.rename(actor, id, 'store')).handle, 'store-stage');
  await assert.rejects(
    core.appOwnership.transfer(actor, id, { team: 'crew' }),
    refusedAs('conflict', 'space-belongs-to-team'),
  );
});

test('a team stands for the member that it is named after, else for its oldest', async (t) => {
  const { core, db, person, createApp } = await testCore(t);
  const [bob, ann] = [await person('bob'), await person('ann')];
  await core.teams.create(bob, { name: 'crew' });
  const bobNow = await (await signIn(core, bob))();
  await core.teams.addMember(bobNow, 'crew', 'ann');
  await core.teams.addMember(bobNow, 'bob', 'ann');
  const teams = await db.teams.list('all');
  const owners = await db.teams.owners(teams.map((team) => team.id));
  assert.deepEqual(
    teams.map((team) => [team.name, owners.get(team.id)?.username]),
    [
      ['ann', 'ann'],
      ['bob', 'bob'],
      ['crew', 'bob'],
    ],
  );
  assert.equal((await db.teams.owners([])).size, 0);
  const shop = await createApp(ann, 'shop', 'ann');
  await core.teams.removeMember(bobNow, 'bob', 'ann');
  assert.equal((await core.appOwnership.transfer(ann, shop, { user: 'ann' })).teamName, 'ann');
});
