import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TeamName, Username } from '../../src/core/names.ts';
import type { Role } from '../../src/core/roles/role.ts';
import type { Token } from '../../src/core/tokens/token.ts';
import { testDatabase } from '../support/postgres.ts';
import { app, at, awkward, ground, id, later, team, user } from './nouns.ts';

const conflict = (code: string) => (error: { kind: string; details: { code: string } }) =>
  error.kind === 'conflict' && error.details.code === code;

test('a user comes back as it was, by id, username and email in any case', async (t) => {
  const { db } = await testDatabase(t);
  const one = user({ username: 'Öve' as Username, email: 'öve@example.org' });
  await db.users.insert(one);
  assert.deepEqual(await db.users.find(one.id), one);
  assert.deepEqual(await db.users.find('ÖVE@example.ORG'), one);
  const two = user({ username: 'Maria' as Username });
  await db.users.insert(two);
  assert.deepEqual(await db.users.find('mARIA'), two);
  assert.equal(await db.users.find('nobody'), null);
  assert.equal(await db.users.count(), 2);
  await db.users.update(two.id, { lastLoginAt: later, passwordHash: 'new' });
  await db.users.update(two.id, {});
  assert.deepEqual(await db.users.find(two.id), { ...two, lastLoginAt: later, passwordHash: 'new' });
  const [listed] = await db.users.list();
  assert.ok(listed && !('passwordHash' in listed), 'a list never holds hashes');
  await db.users.remove(two.id);
  assert.equal(await db.users.find(two.id), null);
});

test('usernames and emails are unique in any case, and a username cannot steal an email', async (t) => {
  const { db } = await testDatabase(t);
  const one = user();
  await db.users.insert(one);
  const sameName = user({ username: one.username.toUpperCase() as Username });
  await assert.rejects(db.users.insert(sameName), conflict('user-exists'));
  await assert.rejects(db.users.insert(user({ email: one.email })), conflict('user-exists'));
  const thief = user({ username: one.email as Username });
  await db.users.insert(thief);
  assert.equal((await db.users.find(one.email))?.id, one.id);
});

test('teams and members', async (t) => {
  const { db } = await testDatabase(t);
  const one = team({ name: 'Ops' as TeamName });
  const member = user();
  await db.teams.insert(one);
  await db.users.insert(member);
  assert.deepEqual(await db.teams.find('Ops'), one);
  assert.deepEqual(await db.teams.find(one.id), one);
  assert.equal(await db.teams.find('ops'), null, 'exact case');
  await assert.rejects(db.teams.insert(team({ name: 'Ops' as TeamName })), conflict('team-exists'));
  await db.teams.addMember({ teamId: one.id, userId: member.id, createdAt: at });
  await db.teams.addMember({ teamId: one.id, userId: member.id, createdAt: at });
  const { passwordHash: _, ...shown } = member;
  assert.deepEqual(await db.teams.members(one.id), [shown]);
  assert.deepEqual(await db.teams.teamIdsOf(member.id), [one.id]);
  const other = team();
  await db.teams.insert(other);
  assert.deepEqual(
    (await db.teams.list('all')).map((row) => row.id),
    [one.id, other.id],
  );
  assert.deepEqual(await db.teams.list([other.id]), [other]);
  assert.deepEqual(await db.teams.list([]), []);
  await db.teams.update(one.id, { description: 'x', updatedAt: later });
  assert.deepEqual(await db.teams.find(one.id), { ...one, description: 'x', updatedAt: later });
  await db.teams.removeMember(one.id, member.id);
  assert.deepEqual(await db.teams.teamIdsOf(member.id), []);
  await db.teams.remove(one.id);
  assert.equal(await db.teams.find(one.id), null);
});

test('a team or a space with apps stays, and says why', async (t) => {
  const { db } = await testDatabase(t);
  const on = await ground(db);
  await db.apps.insert(app(on));
  await assert.rejects(db.teams.remove(on.team.id), conflict('team-has-apps'));
  await assert.rejects(db.spaces.remove(on.space.id), conflict('space-has-apps'));
  await assert.rejects(db.apps.insert(app({ ...on, team: team() })), { kind: 'not-found', details: { noun: 'team' } });
});

test('tokens: found by hash, listed, ended', async (t) => {
  const { db } = await testDatabase(t);
  const [owner, group] = [user(), team()];
  await db.users.insert(owner);
  await db.teams.insert(group);
  const token = (change: Partial<Token>): Token => ({
    id: id(),
    kind: 'session',
    userId: owner.id,
    teamId: null,
    name: awkward,
    hash: id(),
    hint: 'abcd',
    createdAt: at,
    expiresAt: null,
    lastUsedAt: null,
    ...change,
  });
  const session = token({});
  const kept = token({ createdAt: later });
  const personal = token({ kind: 'personal', createdAt: new Date(later.getTime() + 1) });
  const ofTeam = token({ kind: 'team', userId: null, teamId: group.id, expiresAt: later });
  for (const one of [session, kept, personal, ofTeam]) await db.tokens.insert(one);
  assert.deepEqual(await db.tokens.findByHash(session.hash), session);
  assert.deepEqual(await db.tokens.find(ofTeam.id), ofTeam);
  assert.equal(await db.tokens.findByHash('unknown'), null);
  await assert.rejects(db.tokens.insert(token({ hash: session.hash })), conflict('token-exists'));
  assert.deepEqual(await db.tokens.listOfUser(owner.id), [session, kept, personal]);
  assert.deepEqual(await db.tokens.listOfTeam(group.id), [ofTeam]);
  await db.tokens.touch(kept.id, later);
  assert.deepEqual((await db.tokens.find(kept.id))?.lastUsedAt, later);
  assert.equal(await db.tokens.removeSessions(owner.id, kept.id), 1);
  assert.equal(await db.tokens.removeExpired(at), 0);
  assert.equal(await db.tokens.removeExpired(later), 1);
  await db.tokens.remove(kept.id);
  assert.deepEqual(await db.tokens.listOfUser(owner.id), [personal]);
  await db.users.remove(owner.id);
  assert.equal(await db.tokens.find(personal.id), null, 'tokens go with their user');
});

test('roles give grants in their contexts', async (t) => {
  const { db } = await testDatabase(t);
  const role: Role = {
    id: id(),
    name: 'deployer',
    context: 'team',
    description: awkward,
    permissions: ['app.deploy', 'app.read'],
  };
  const admin: Role = { id: id(), name: 'admin', context: 'global', description: '', permissions: [''] };
  await db.roles.insert(role);
  await db.roles.insert(admin);
  await assert.rejects(db.roles.insert({ ...role, id: id() }), conflict('role-exists'));
  assert.deepEqual(await db.roles.find('deployer'), role);
  assert.deepEqual(await db.roles.list(), [admin, role]);
  const [userId, teamId] = [id(), id()];
  const inTeam = { roleId: role.id, subject: 'user', subjectId: userId, contextId: teamId } as const;
  const everywhere = { roleId: admin.id, subject: 'user', subjectId: userId, contextId: null } as const;
  for (const assignment of [inTeam, inTeam, everywhere, everywhere]) await db.roles.assign(assignment);
  assert.deepEqual(await db.roles.assignments(admin.id), [everywhere]);
  const grants = [...(await db.roles.grantsOf('user', userId))].sort((a, b) =>
    a.permission.localeCompare(b.permission),
  );
  assert.deepEqual(grants, [
    { permission: '', context: 'global', contextId: null },
    { permission: 'app.deploy', context: 'team', contextId: teamId },
    { permission: 'app.read', context: 'team', contextId: teamId },
  ]);
  await db.roles.update(role.id, { permissions: ['app'] });
  await db.roles.dissociate(everywhere);
  assert.deepEqual(await db.roles.grantsOf('user', userId), [
    { permission: 'app', context: 'team', contextId: teamId },
  ]);
  assert.deepEqual(await db.roles.grantsOf('token', userId), []);
  await db.roles.remove(role.id);
  assert.deepEqual(await db.roles.grantsOf('user', userId), []);
});

test('quotas are set and set again', async (t) => {
  const { db } = await testDatabase(t);
  const quota = { subject: 'team', subjectId: id(), kind: 'apps', limit: 3 } as const;
  assert.equal(await db.quotas.find('team', quota.subjectId, 'apps'), null);
  await db.quotas.set(quota);
  await db.quotas.set({ ...quota, limit: -1 });
  assert.deepEqual(await db.quotas.find('team', quota.subjectId, 'apps'), { ...quota, limit: -1 });
});
