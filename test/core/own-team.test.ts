/** The team that stands for a person: found, or made once, whoever asks at the same time. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemActor } from '../../src/core/access/actor.ts';
import { testCore, testPassword } from '../support/core.ts';
import { refusedAs } from '../support/sign-in.ts';

test('somebody without a team gets one with their first app, and the right to make apps in it', async (t) => {
  const { core, db, spaceId } = await testCore(t);
  const user = await core.users.create(systemActor, { username: 'new+one', email: 'n@x.test', password: testPassword });
  const { text } = await core.authenticator.issue({
    kind: 'personal',
    name: 'test',
    userId: user.id,
    teamId: null,
    lifetimeMs: null,
  });
  const actor = await core.authenticator.byToken(text.reveal());
  assert.deepEqual(actor.teamIds, []);
  const asked = await Promise.all(Array.from({ length: 4 }, () => core.teams.own(actor)));
  assert.equal(new Set(asked.map(({ team }) => team.id)).size, 1, 'one team, whoever asked first');
  assert.equal((await db.teams.teamIdsOf(user.id)).length, 1);
  const { team, actor: member } = await core.teams.own(actor);
  assert.deepEqual([team.name, member.tokenId], ['new-one', actor.tokenId]);
  const app = await core.apps.create(await core.authenticator.byToken(text.reveal()), {
    name: 'shop',
    team: team.id,
    spaceId,
  });
  assert.equal((await core.appOwnership.ownersOf([app])).get(team.id)?.id, user.id);
});

test('a member of teams that belong to others gets a team of their own', async (t) => {
  const { core, person } = await testCore(t);
  const [ann, bob] = [await person('ann'), await person('bob')];
  await core.teams.addMember(ann, 'ann', 'bob');
  const { team } = await core.teams.own(bob);
  assert.equal(team.name, 'bob');
});

test('a team’s token stands for its team; the platform owns nothing', async (t) => {
  const { core, person } = await testCore(t);
  const ann = await person('ann');
  const { text } = await core.tokens.createOfTeam(ann, 'ann', { name: 'ci', lifetimeMs: null });
  const { team } = await core.teams.own(await core.authenticator.byToken(text.reveal()));
  assert.equal(team.name, 'ann');
  await assert.rejects(() => core.teams.own(systemActor), refusedAs('forbidden', 'no-user'));
});
