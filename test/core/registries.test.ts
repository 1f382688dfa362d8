import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { systemActor } from '../../src/core/access/actor.ts';
import { Secret } from '../../src/core/ports/secret.ts';
import { credentialsOf } from '../../src/core/registries/registry-credentials.ts';
import { registryHost } from '../../src/core/registries/registry-host.ts';
import { testCore } from '../support/core.ts';
import { refusedAs, signIn } from '../support/sign-in.ts';

const password = new Secret('p4ss: wörd');

test('a team signs in to a registry as it said last; nobody sees the password, and no other team its registries', async (t) => {
  const { core, db, person } = await testCore(t);
  const [ann, bob] = [await person('ann'), await person('bob')];
  const team = await core.teams.get(ann, 'ann');
  assert.deepEqual(await core.registries.list(ann, 'ann'), []);
  const first = await core.registries.set(ann, 'ann', { host: 'Reg.Example.org:5000', username: 'ann', password });
  assert.deepEqual([first.host, first.username, first.teamId], ['reg.example.org:5000', 'ann', team.id]);
  const credentials = await credentialsOf(db, team.id, 'reg.example.org:5000');
  assert.equal(credentials?.password.reveal(), password.reveal());
  assert.equal(await credentialsOf(db, team.id, 'reg.example.org'), null);

  const next = { host: 'reg.example.org:5000', username: 'robot', password: new Secret('another') };
  const again = await core.registries.set(ann, team.id, next);
  assert.deepEqual(again, { ...first, username: 'robot' });
  assert.equal((await credentialsOf(db, team.id, first.host))?.password.reveal(), 'another');
  await core.registries.set(ann, 'ann', { ...next, host: 'index.docker.io' });
  const list = await core.registries.list(ann, 'ann');
  assert.deepEqual(
    list.map(({ host }) => host),
    ['docker.io', 'reg.example.org:5000'],
  );
  assert.doesNotMatch(inspect([list, again], { depth: 9, showHidden: true }), /another|wörd|password/);

  await assert.rejects(core.registries.list(bob, 'ann'), refusedAs('not-found'));
  await assert.rejects(core.registries.set(bob, 'ann', next), refusedAs('not-found'));
  await assert.rejects(core.registries.remove(bob, 'ann', first.id), refusedAs('not-found'));
  await assert.rejects(core.registries.remove(ann, 'ann', 'other.example.org'), refusedAs('not-found'));
  await core.teams.addMember(ann, 'ann', 'bob');
  const member = await (await signIn(core, bob))();
  assert.deepEqual(await core.registries.remove(member, 'ann', 'REG.example.org:5000'), again);
  assert.equal(await credentialsOf(db, team.id, first.host), null);
  await assert.rejects(core.registries.remove(member, 'ann', first.id), refusedAs('not-found'));

  const events = (await db.events.list({ kinds: ['RegistrySet', 'RegistryRemoved'] }, { limit: 10 })).items;
  assert.deepEqual(
    events.map(({ kind, actorName, teamId, data }) => [kind, actorName, teamId, data]),
    [
      ['RegistryRemoved', 'bob', team.id, { team: 'ann', registry: first.host }],
      ['RegistrySet', 'ann', team.id, { team: 'ann', registry: 'docker.io', username: 'robot' }],
      ['RegistrySet', 'ann', team.id, { team: 'ann', registry: first.host, username: 'robot' }],
      ['RegistrySet', 'ann', team.id, { team: 'ann', registry: first.host, username: 'ann' }],
    ],
  );
});

test('a registry needs a host, a name and a password that can be sent', async (t) => {
  const { core, person } = await testCore(t);
  const ann = await person('ann');
  const good = { host: 'reg.example.org', username: 'ann', password };
  const wrong: readonly [Partial<typeof good>, string][] = [
    [{ host: ' ' }, 'missing'],
    [{ host: 'https://reg.example.org' }, 'malformed'],
    [{ host: 'reg.example.org/team' }, 'malformed'],
    [{ host: 'reg.example.org:99999' }, 'malformed'],
    [{ host: '-reg.example.org' }, 'malformed'],
    [{ username: ' ' }, 'missing'],
    [{ username: 'a:b' }, 'malformed'],
    [{ username: 'a'.repeat(257) }, 'too-long'],
    [{ password: new Secret('') }, 'missing'],
    [{ password: new Secret('a\nb') }, 'malformed'],
    [{ password: new Secret('a'.repeat(16_385)) }, 'too-long'],
  ];
  for (const [change, code] of wrong)
    await assert.rejects(core.registries.set(ann, 'ann', { ...good, ...change }), refusedAs('invalid', code));
  for (let each = 0; each < 50; each += 1)
    await core.registries.set(systemActor, 'ann', { ...good, host: `reg${each}.example.org` });
  await assert.rejects(core.registries.set(ann, 'ann', good), refusedAs('quota', 'registries'));
  assert.equal((await core.registries.set(ann, 'ann', { ...good, host: 'reg7.example.org' })).username, 'ann');
});

test('every name of the Docker Hub is one', () => {
  for (const name of ['docker.io', 'index.docker.io', 'Registry-1.Docker.io'])
    assert.equal(registryHost(name), 'docker.io');
  assert.equal(registryHost(' localhost:5000 '), 'localhost:5000');
});
