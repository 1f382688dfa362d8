import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Actor, systemActor } from '../../src/core/access/actor.ts';
import { BerthError, type ErrorKind } from '../../src/core/errors.ts';
import { Secret } from '../../src/core/ports/secret.ts';
import { testCore, testPassword } from '../support/core.ts';

const refusedAs =
  (kind: ErrorKind, code?: string) =>
  (error: unknown): boolean => {
    assert.ok(error instanceof BerthError, String(error));
    assert.equal(error.kind, kind, error.message);
    if (code !== undefined) assert.equal(error.details.code, code);
    return true;
  };

test('another team’s app answers as one that is not there, to every verb', async (t) => {
  const { core, person, createApp } = await testCore(t);
  const [ann, bob] = [await person('ann'), await person('bob')];
  const app = await createApp(ann, 'shop', 'ann');
  const verbs: readonly ((actor: Actor, reference: string) => Promise<unknown>)[] = [
    (actor, ref) => core.apps.get(actor, ref),
    (actor, ref) => core.apps.update(actor, ref, { description: 'x' }),
    (actor, ref) => core.apps.setMaintenance(actor, ref, true),
    (actor, ref) => core.apps.setFeature(actor, ref, 'x', true),
    (actor, ref) => core.switches.stop(actor, ref, null),
    (actor, ref) => core.switches.start(actor, ref, null),
    (actor, ref) => core.switches.start(actor, ref, ['web']),
    (actor, ref) => core.images.update(actor, ref, 'web', 'v1', 'one-by-one'),
    (actor, ref) => core.annotations.get(actor, ref, 'x'),
    (actor, ref) => core.annotations.set(actor, ref, 'x', '1'),
    (actor, ref) => core.apps.restart(actor, ref),
    (actor, ref) => core.apps.remove(actor, ref),
    (actor, ref) => core.processes.list(actor, ref),
    (actor, ref) => core.processes.create(actor, ref, { type: 'web' }),
    (actor, ref) => core.processes.scale(actor, ref, 'web', 2),
    (actor, ref) => core.processes.restart(actor, ref, 'web'),
    (actor, ref) => core.processes.remove(actor, ref, 'web'),
    (actor, ref) => core.config.list(actor, ref),
    (actor, ref) => core.config.update(actor, ref, { A: '1' }),
    (actor, ref) => core.config.annotate(actor, ref, {}),
    (actor, ref) =>
      core.builds.create(actor, ref, {
        source: { kind: 'archive', url: new Secret('https://example.test/a.tgz'), checksum: null },
      }),
    (actor, ref) => core.builds.list(actor, ref, { limit: 1 }),
    (actor, ref) => core.releases.list(actor, ref, ['deploy'], { limit: 1 }),
    (actor, ref) => core.releases.rollback(actor, ref, '1'),
    (actor, ref) => core.instances.list(actor, ref),
    (actor, ref) => core.instances.stats(actor, ref),
    (actor, ref) => core.oneOffs.list(actor, ref),
    (actor, ref) => core.oneOffs.stop(actor, ref, 'x'),
    (actor, ref) => core.oneOffs.signal(actor, ref, 'x', 'SIGTERM'),
    (actor, ref) => core.deployments.list(actor, ref, 0, 1),
    (actor, ref) => core.deployments.get(actor, ref, 'x'),
    (actor, ref) => core.deployments.cancel(actor, ref, 'x'),
    (actor, ref) => core.deployments.clearCache(actor, ref),
    (actor, ref) => core.deploymentFeed.follow(actor, ref, async () => {}, AbortSignal.timeout(10_000)),
    (actor, ref) => core.oneOffs.create(actor, ref, { command: 'ls', detached: true }),
    (actor, ref) => core.logs.read(actor, ref, { lines: 1, follow: false }),
    (actor, ref) => core.domains.add(actor, ref, { hostname: 'shop.example.test' }),
    (actor, ref) => core.domains.list(actor, ref),
    (actor, ref) => core.domains.get(actor, ref, 'shop.example.test'),
    (actor, ref) => core.domains.setCertificate(actor, ref, 'x', { certificatePem: '', privateKeyPem: new Secret('') }),
    (actor, ref) => core.domains.removeCertificate(actor, ref, 'shop.example.test'),
    (actor, ref) => core.collaborators.list(actor, ref),
    (actor, ref) => core.collaborators.invite(actor, ref, 'eve@berth.test'),
    (actor, ref) => core.collaborators.remove(actor, ref, 'eve@berth.test'),
    (actor, ref) => core.appOwnership.rename(actor, ref, 'mine'),
    (actor, ref) => core.appOwnership.transfer(actor, ref, { team: 'bob' }),
    (actor, ref) => core.appOwnership.transfer(actor, ref, { user: 'bob' }),
    (actor, ref) => core.quotas.ofApp(actor, ref),
    (actor, ref) => core.quotas.setOfApp(actor, ref, 1),
    (actor, ref) => core.events.list(actor, { appId: ref }, { limit: 1 }),
  ];
  for (const verb of verbs) {
    const words = async (reference: string): Promise<string> => {
      const error = await verb(bob, reference).then(
        () => null,
        (thrown: unknown) => thrown,
      );
      assert.ok(
        error instanceof BerthError && error.kind === 'not-found',
        `${verb} with ${reference}: ${String(error)}`,
      );
      return error.message.replaceAll(reference, 'X');
    };
    const missing = '00000000-0000-4000-8000-000000000000';
    assert.equal(await words(app), await words(missing), `${verb}`);
  }
  assert.deepEqual((await core.apps.list(bob, {}, { limit: 10 })).items, []);
  assert.equal((await core.apps.list(ann, {}, { limit: 10 })).items.length, 1);
});

test('a role given for one app lets see and do just that', async (t) => {
  const { core, person, createApp } = await testCore(t);
  const [ann, bob] = [await person('ann'), await person('bob')];
  const [app, other] = [await createApp(ann, 'shop', 'ann'), await createApp(ann, 'bank', 'ann')];
  await core.roles.create(systemActor, { name: 'reader', context: 'app' });
  await core.roles.addPermissions(systemActor, 'reader', ['app.read']);
  const assignment = { subject: 'user', subjectId: bob.userId ?? '', contextId: app } as const;
  await core.roles.assign(systemActor, 'reader', assignment);
  const { text } = await core.authenticator.issue({
    kind: 'session',
    name: 'again',
    userId: bob.userId,
    teamId: null,
    lifetimeMs: null,
  });
  const reader = await core.authenticator.byToken(text.reveal());
  assert.equal((await core.apps.get(reader, app)).name, 'shop');
  assert.deepEqual(
    (await core.apps.list(reader, {}, { limit: 10 })).items.map((item) => item.name),
    ['shop'],
  );
  await assert.rejects(core.apps.restart(reader, app), refusedAs('forbidden'));
  await assert.rejects(core.apps.get(reader, other), refusedAs('not-found'));
  await assert.rejects(core.roles.remove(systemActor, 'reader'), refusedAs('conflict', 'role-in-use'));
  await core.roles.dissociate(systemActor, 'reader', assignment);
  const later = await core.authenticator.byToken(text.reveal());
  await assert.rejects(core.apps.get(later, app), refusedAs('not-found'));
});

test('nobody gives away more than they hold', async (t) => {
  const { core, db, person } = await testCore(t);
  const ann = await person('ann');
  await assert.rejects(core.roles.create(ann, { name: 'mine', context: 'global' }), refusedAs('forbidden'));
  await core.roles.create(systemActor, { name: 'clerk', context: 'global' });
  await core.roles.addPermissions(systemActor, 'clerk', ['role']);
  await core.roles.assign(systemActor, 'clerk', { subject: 'user', subjectId: ann.userId ?? '', contextId: null });
  const { text } = await core.authenticator.issue({
    kind: 'session',
    name: 'x',
    userId: ann.userId,
    teamId: null,
    lifetimeMs: null,
  });
  const clerk = await core.authenticator.byToken(text.reveal());
  await core.roles.create(clerk, { name: 'mine', context: 'global' });
  await assert.rejects(core.roles.addPermissions(clerk, 'mine', ['app.delete']), refusedAs('forbidden', 'escalation'));
  await assert.rejects(core.roles.addPermissions(clerk, 'mine', ['']), refusedAs('forbidden', 'escalation'));
  await assert.rejects(
    core.roles.addPermissions(systemActor, 'mine', ['no.such']),
    refusedAs('invalid', 'unknown-permission'),
  );
  await core.roles.create(systemActor, { name: 'local', context: 'app' });
  await assert.rejects(
    core.roles.addPermissions(systemActor, 'local', ['role.create']),
    refusedAs('invalid', 'wrong-context'),
  );
  await assert.rejects(
    core.roles.assign(systemActor, 'local', { subject: 'user', subjectId: ann.userId ?? '', contextId: null }),
    refusedAs('invalid', 'wrong-context'),
  );
  assert.equal((await db.roles.find('mine'))?.permissions.length, 0);
});

test('tokens: shown once, kept as a hash, ended by time, revocation and a new password', async (t) => {
  const { core, db, person } = await testCore(t);
  const [ann, bob] = [await person('ann'), await person('bob')];
  const { token, text } = await core.tokens.createPersonal(ann, { name: 'ci', lifetimeMs: null });
  assert.equal((await core.authenticator.byToken(text.reveal())).name, 'ann');
  assert.ok(!JSON.stringify(await db.tokens.listOfUser(ann.userId ?? '')).includes(text.reveal()));
  await assert.rejects(core.tokens.revoke(bob, token.id), refusedAs('not-found'));
  const short = await core.tokens.createPersonal(ann, { name: 'short', lifetimeMs: 1 });
  await assert.rejects(async () => {
    for (;;) await core.authenticator.byToken(short.text.reveal()).then(() => core.authenticator.forget());
  }, refusedAs('unauthenticated'));
  const session = await core.authenticator.issue({
    kind: 'session',
    name: 'web',
    userId: ann.userId,
    teamId: null,
    lifetimeMs: null,
  });
  await core.users.changePassword(ann, ann.userId ?? '', testPassword, new Secret('another long password'));
  await assert.rejects(core.authenticator.byToken(session.text.reveal()), refusedAs('unauthenticated'));
  await assert.rejects(core.authenticator.byPassword('ann', testPassword, '127.0.0.1'), refusedAs('unauthenticated'));
  assert.equal(
    (await core.authenticator.byPassword('ANN@berth.test', new Secret('another long password'), '127.0.0.1')).username,
    'ann',
  );
  await core.tokens.revoke(ann, token.id);
  await assert.rejects(core.authenticator.byToken(text.reveal()), refusedAs('unauthenticated'));
});

test('a team token may do what its roles say, in its team, and nothing before', async (t) => {
  const { core, person, createApp } = await testCore(t);
  const [ann, bob] = [await person('ann'), await person('bob')];
  const app = await createApp(ann, 'shop', 'ann');
  const { token, text } = await core.tokens.createOfTeam(ann, 'ann', { name: 'deployer', lifetimeMs: null });
  const bare = await core.authenticator.byToken(text.reveal());
  await assert.rejects(core.apps.get(bare, app), refusedAs('not-found'));
  await core.roles.create(systemActor, { name: 'deployers', context: 'team' });
  await core.roles.addPermissions(systemActor, 'deployers', ['app.deploy', 'app.read']);
  const [teamId] = ann.teamIds;
  await core.roles.assign(systemActor, 'deployers', { subject: 'token', subjectId: token.id, contextId: teamId ?? '' });
  const deployer = await core.authenticator.byToken(text.reveal());
  assert.equal((await core.apps.get(deployer, app)).name, 'shop');
  await assert.rejects(core.apps.remove(deployer, app), refusedAs('forbidden'));
  await assert.rejects(core.tokens.createOfTeam(bob, 'ann', { name: 'x', lifetimeMs: null }), refusedAs('not-found'));
});

test('guessing passwords is slowed down, for unknown users too', async (t) => {
  const { core, person } = await testCore(t);
  await person('ann');
  for (const name of ['ann', 'nobody']) {
    for (let attempt = 0; attempt < 10; attempt += 1) {
      await assert.rejects(
        core.authenticator.byPassword(name, new Secret('wrong password'), `10.0.0.${attempt}${name.length}`),
        refusedAs('unauthenticated'),
      );
    }
    await assert.rejects(core.authenticator.byPassword(name, testPassword, '10.9.9.9'), refusedAs('rate-limited'));
  }
});

test('quotas refuse where it is asked for', async (t) => {
  const { core, person, createApp } = await testCore(t);
  const ann = await person('ann');
  const app = await createApp(ann, 'shop', 'ann');
  await core.quotas.setOfTeam(systemActor, 'ann', 1);
  await assert.rejects(createApp(ann, 'bank', 'ann'), refusedAs('quota', 'apps'));
  await assert.rejects(core.quotas.setOfTeam(ann, 'ann', 100), refusedAs('forbidden'));
  await core.quotas.setOfApp(systemActor, app, 2);
  await core.processes.create(ann, app, { type: 'web', quantity: 2 });
  await assert.rejects(core.processes.scale(ann, app, 'web', 3), refusedAs('quota', 'instances'));
  await assert.rejects(
    core.processes.create(ann, app, { type: 'worker', quantity: 1 }),
    refusedAs('quota', 'instances'),
  );
  assert.deepEqual(await core.quotas.ofApp(ann, app), { limit: 2, used: 2 });
  assert.equal((await core.processes.get(ann, app, 'web')).quantity, 2);
});

test('domains are unique over all apps and none is the platform’s', async (t) => {
  const { core, person, createApp } = await testCore(t);
  const [ann, bob] = [await person('ann'), await person('bob')];
  const [shop, bank] = [await createApp(ann, 'shop', 'ann'), await createApp(bob, 'bank', 'bob')];
  const domain = await core.domains.add(ann, shop, { hostname: 'Shop.Example.Test' });
  assert.equal(domain.hostname, 'shop.example.test');
  await assert.rejects(
    core.domains.add(bob, bank, { hostname: 'shop.example.test' }),
    refusedAs('conflict', 'domain-exists'),
  );
  await core.domains.add(bob, bank, { hostname: 'shop.example.test', pathPrefix: '/bank', replacePrefix: '/' });
  for (const name of ['berth.test', 'shop.berth.test', '-x.test', 'a b.test', 'x..test', '']) {
    await assert.rejects(core.domains.add(ann, shop, { hostname: name }), refusedAs('invalid'));
  }
  await assert.rejects(core.domains.remove(bob, bank, domain.id), refusedAs('not-found'));
  await core.domains.remove(ann, shop, 'shop.example.test');
  assert.deepEqual(await core.domains.list(ann, shop), []);
});
