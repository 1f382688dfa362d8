import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Actor } from '../../src/core/access/actor.ts';
import { choosePrefix, prefixOf } from '../../src/core/addons/binding-names.ts';
import { BerthError } from '../../src/core/errors.ts';
import { type AddonProvider, AddonRefused } from '../../src/core/ports/addon-provider.ts';
import { Secret } from '../../src/core/ports/secret.ts';
import { until } from '../support/until.ts';
import { addService, workbench } from './workbench.ts';

const code = (expected: string) => (error: unknown) => error instanceof BerthError && error.details.code === expected;
const kind = (expected: string) => (error: unknown) => error instanceof BerthError && error.kind === expected;

/** Gives THING_URL with the add-on's id and plan; `said` holds the verbs as they came. */
function things(
  said: string[],
  trouble: { provision?: () => void; changePlan?: () => Promise<void> } = {},
): AddonProvider {
  return {
    async provision({ addonId, name }) {
      said.push(`provision ${name}`);
      trouble.provision?.();
      return { ready: true, resourceId: `r-${addonId}`, config: {}, message: 'here you are' };
    },
    async changePlan({ name, plan }) {
      said.push(`plan ${name} ${plan.name}`);
      await trouble.changePlan?.();
      return { message: '', config: {} };
    },
    async bind({ name, plan }, { app }) {
      said.push(`bind ${name} ${app.handle}`);
      return { THING_URL: new Secret(`thing://${name}/${plan.name}/${app.handle}`) };
    },
    async unbind({ name }, { app }) {
      said.push(`unbind ${name} ${app.handle}`);
    },
    async deprovision({ name }) {
      said.push(`deprovision ${name}`);
    },
    sso: async () => null,
  };
}

test('prefixes: none, then the name, then numbers', () => {
  const taken = new Set(['A', 'STORY_5660_A', 'STORY_5660_2_A']);
  assert.equal(choosePrefix(null, 'story-5660', ['B'], taken), '');
  assert.equal(choosePrefix('', 'other', ['A', 'B'], taken), 'OTHER_');
  assert.equal(choosePrefix(null, 'story-5660', ['A'], taken), 'STORY_5660_3_');
  assert.equal(choosePrefix('MY_', 'story-5660', ['A'], taken), 'MY_');
  assert.equal(prefixOf('a.b--c'), 'A_B_C_');
});

test('an app gets its add-on’s variables by a release, may not change them, and loses them with it', async (t) => {
  const said: string[] = [];
  const { promise: refused, resolve: letGo } = Promise.withResolvers<void>();
  const bench = await workbench(t, { things: things(said, { changePlan: () => refused }) });
  const { core, db } = bench;
  await addService(bench, 'things');
  const ann = await bench.person('ann');
  const app = await bench.releasedApp(ann, 'shop', 'ann');
  const { addon, operation } = await core.addons.create(ann, {
    app: 'shop',
    service: 'thing',
    plan: 'small',
    name: 'one',
  });
  assert.equal(addon.state, 'provisioning');
  await bench.done(operation);
  assert.deepEqual(await bench.environment(app), { THING_URL: 'thing://one/small/shop' });
  assert.equal((await core.addons.get(ann, 'thing/one')).state, 'running');
  const release = await db.releases.pending(app);
  assert.equal(release?.kind, 'config');
  const [variable] = await core.config.list(ann, app);
  assert.deepEqual([variable?.name, variable?.source], ['THING_URL', 'addon']);
  await assert.rejects(core.config.update(ann, app, { THING_URL: 'mine' }), code('config-owned'));
  await assert.rejects(core.config.update(ann, app, { THING_URL: null }), code('config-owned'));

  const upgraded = await core.addons.upgrade(ann, addon.id, 'large');
  await assert.rejects(core.addons.upgrade(ann, addon.id, 'small'), code('addon-busy'));
  letGo();
  await bench.done(upgraded.operation);
  await assert.rejects(core.addons.upgrade(ann, addon.id, 'large'), code('same-plan'));
  assert.deepEqual(await bench.environment(app), { THING_URL: 'thing://one/large/shop' });

  const removed = await core.addons.remove(ann, addon.id);
  assert.deepEqual(await bench.environment(app), {}, 'gone with the answer');
  await bench.done(removed.operation);
  await assert.rejects(core.addons.get(ann, addon.id), kind('not-found'));
  assert.deepEqual(said, [
    'provision one',
    'bind one shop',
    'plan one large',
    'bind one shop',
    'unbind one shop',
    'deprovision one',
  ]);
  const kinds = (await core.events.list(ann, { appId: app }, { limit: 100 })).items.map((event) => event.kind);
  const expected = ['AddonCreated', 'AddonReady', 'BindingAdded', 'AddonUpgraded', 'BindingRemoved', 'AddonRemoved'];
  assert.deepEqual(
    kinds.reverse().filter((name) => /Addon|Binding/.test(name)),
    [...expected.slice(0, 4), 'BindingAdded', ...expected.slice(4)],
  );
});

test('taken names get a prefix; a second app is bound, promoted, and keeps the add-on from going', async (t) => {
  const said: string[] = [];
  const bench = await workbench(t, { things: things(said) });
  const { core } = bench;
  await addService(bench, 'things');
  const ann = await bench.person('ann');
  const shop = await bench.createApp(ann, 'shop', 'ann');
  const desk = await bench.createApp(ann, 'desk', 'ann');
  await core.config.update(ann, desk, { THING_URL: 'my own' });
  const made = await core.addons.create(ann, { app: shop, service: 'thing', plan: 'small', name: 'one' });
  await bench.done(made.operation);
  const bound = await core.bindings.bind(ann, desk, { addon: made.addon.id, name: 'story-5660' });
  await bench.done(bound.operation);
  await assert.rejects(core.bindings.bind(ann, desk, { addon: made.addon.id }), code('binding-exists'));
  assert.deepEqual(await bench.environment(desk), {
    THING_URL: 'my own',
    STORY_5660_THING_URL: 'thing://one/small/desk',
  });
  assert.deepEqual(await core.bindings.variables(ann, desk, 'story-5660'), ['STORY_5660_THING_URL']);

  await core.config.update(ann, desk, { THING_URL: null });
  await core.bindings.promote(ann, desk, 'story-5660');
  assert.deepEqual(await bench.environment(desk), { THING_URL: 'thing://one/small/desk' });
  const second = await core.addons.create(ann, { app: desk, service: 'thing', plan: 'small', name: 'two' });
  await bench.done(second.operation);
  await core.bindings.promote(ann, desk, 'two');
  assert.deepEqual(await bench.environment(desk), {
    STORY_5660_THING_URL: 'thing://one/small/desk',
    THING_URL: 'thing://two/small/desk',
  });

  await assert.rejects(core.addons.remove(ann, made.addon.id), code('addon-attached'));
  await assert.rejects(core.apps.remove(ann, shop), code('addon-attached'));
  await assert.rejects(core.bindings.unbind(ann, shop, 'one'), code('own-addon'));
  assert.equal((await core.apps.get(ann, shop)).name, 'shop', 'a refused removal removes nothing');
  await bench.done((await core.bindings.unbind(ann, desk, 'story-5660')).operation);
  assert.deepEqual(await bench.environment(desk), { THING_URL: 'thing://two/small/desk' });
  await core.apps.remove(ann, shop);
  await until('the add-on went with its app', () => said.includes('deprovision one'));
  assert.ok(said.includes('unbind one shop'));
});

test('whose add-on it is decides who may see and change it', async (t) => {
  const bench = await workbench(t, { things: things([]) });
  const { core } = bench;
  await addService(bench, 'things');
  const [ann, bob] = [await bench.person('ann'), await bench.person('bob')];
  const app = await bench.createApp(ann, 'shop', 'ann');
  const own = await bench.createApp(bob, 'desk', 'bob');
  const { addon, operation } = await core.addons.create(ann, { app, service: 'thing', plan: 'small' });
  const ofTeam = await core.addons.create(ann, { team: 'ann', service: 'thing', plan: 'small', name: 'shared' });
  await Promise.all([bench.done(operation), bench.done(ofTeam.operation)]);
  const acts: Readonly<Record<string, (actor: Actor, id: string) => Promise<unknown>>> = {
    get: (actor, id) => core.addons.get(actor, id),
    upgrade: (actor, id) => core.addons.upgrade(actor, id, 'large'),
    update: (actor, id) => core.addons.update(actor, id, { description: 'mine' }),
    remove: (actor, id) => core.addons.remove(actor, id),
    sso: (actor, id) => core.addons.sso(actor, id),
    bind: (actor, id) => core.bindings.bind(actor, own, { addon: id }),
    bindings: (actor, id) => core.bindings.listOfAddon(actor, id),
  };
  for (const [name, act] of Object.entries(acts)) {
    for (const id of [addon.id, ofTeam.addon.id, 'thing/shared'])
      await assert.rejects(act(bob, id), kind('not-found'), `${name} ${id}`);
  }
  await assert.rejects(core.addons.create(bob, { app, service: 'thing', plan: 'small' }), kind('not-found'));
  await assert.rejects(core.addons.create(bob, { team: 'ann', service: 'thing', plan: 'small' }), kind('forbidden'));
  await assert.rejects(core.addons.listOfApp(bob, app), kind('not-found'));
  await assert.rejects(core.bindings.list(bob, app), kind('not-found'));
  await assert.rejects(core.bindings.bind(ann, own, { addon: addon.id }), kind('not-found'), 'an app of another team');
  assert.deepEqual((await core.addons.list(bob, {}, { limit: 10 })).items, []);
  const seen = (await core.addons.list(ann, {}, { limit: 10 })).items.map((item) => item.id);
  assert.deepEqual(new Set(seen), new Set([addon.id, ofTeam.addon.id]));
  assert.deepEqual(await bench.environment(own), {});
});

test('one whose provider refuses has failed and says why; one whose provider is down is tried again', async (t) => {
  const said: string[] = [];
  let failures = 0;
  const trouble = {
    provision: () => {
      failures += 1;
      if (failures <= 2) throw new Error('connection refused');
    },
  };
  const refusing: AddonProvider = {
    ...things(said),
    provision: async () => {
      throw new AddonRefused('no more of these');
    },
  };
  const bench = await workbench(t, { things: things(said, trouble), refusing });
  const { core, db } = bench;
  await addService(bench, 'things');
  await addService(bench, 'refusing', { name: 'rare' });
  const ann = await bench.person('ann');
  const app = await bench.createApp(ann, 'shop', 'ann');
  await bench.done((await core.addons.create(ann, { app, service: 'thing', plan: 'small', name: 'one' })).operation);
  assert.deepEqual(said.filter((line) => line.startsWith('provision')).length, 3);

  const made = await core.addons.create(ann, { app, service: 'rare', plan: 'small' });
  await assert.rejects(bench.done(made.operation), /no more of these/);
  const failed = await core.addons.get(ann, made.addon.id);
  assert.deepEqual([failed.state, failed.stateDescription], ['failed', 'no more of these']);
  assert.deepEqual((await core.bindings.get(ann, app, made.addon.id)).state, 'failed');
  await bench.done((await core.addons.remove(ann, made.addon.id)).operation);
  assert.equal(await db.addons.find(made.addon.id), null);
});

test('what a killed server left half done is done once more by the next, and ends the same', async (t) => {
  const said: string[] = [];
  let hang = true;
  const slow: AddonProvider = {
    ...things(said),
    provision: async (addon, signal) => {
      said.push('provision');
      if (hang)
        await new Promise((_, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason), { once: true });
        });
      return { ready: true, resourceId: addon.addonId, config: {}, message: '' };
    },
  };
  const bench = await workbench(t, { things: slow });
  await addService(bench, 'things');
  const ann = await bench.person('ann');
  const app = await bench.createApp(ann, 'shop', 'ann');
  const { operation } = await bench.core.addons.create(ann, { app, service: 'thing', plan: 'small', name: 'one' });
  await until('the provider was called', () => said.length === 1);
  await bench.queue.stop();
  assert.equal((await bench.db.operations.find(operation.id))?.status, 'running');
  hang = false;
  bench.queue.start();
  await bench.done(operation);
  assert.deepEqual(said, ['provision', 'provision', 'bind one shop']);
  assert.deepEqual(await bench.environment(app), { THING_URL: 'thing://one/small/shop' });
});

test('two at once: one app binds an add-on once, and names stay unique', async (t) => {
  const bench = await workbench(t, { things: things([]) });
  const { core } = bench;
  await addService(bench, 'things');
  const ann = await bench.person('ann');
  const app = await bench.createApp(ann, 'shop', 'ann');
  const shared = await core.addons.create(ann, { team: 'ann', service: 'thing', plan: 'small', name: 'shared' });
  await bench.done(shared.operation);
  const tries = await Promise.allSettled(
    Array.from({ length: 4 }, () => core.bindings.bind(ann, app, { addon: shared.addon.id })),
  );
  assert.deepEqual(tries.filter((result) => result.status === 'fulfilled').length, 1);
  const names = await Promise.allSettled(
    Array.from({ length: 4 }, () => core.addons.create(ann, { app, service: 'thing', plan: 'small', name: 'twin' })),
  );
  assert.deepEqual(names.filter((result) => result.status === 'fulfilled').length, 1);
  for (const result of [...tries, ...names])
    if (result.status === 'rejected') assert.ok(kind('conflict')(result.reason), String(result.reason));
});
