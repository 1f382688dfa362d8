import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { createManifestProvider, ssoToken } from '../../src/addons/manifest-provider/manifest-provider.ts';
import { systemActor } from '../../src/core/access/actor.ts';
import { BerthError } from '../../src/core/errors.ts';
import type { ServiceManifest } from '../../src/core/ports/addon-provider.ts';
import { Secret } from '../../src/core/ports/secret.ts';
import { createDialer } from '../../src/lib/dialer.ts';
import { startProvider, type TestProvider } from '../support/addon-provider.ts';
import { until } from '../support/until.ts';
import { type Workbench, workbench } from './workbench.ts';

const PASSWORD = 'a manifest password';

const manifest = (provider: TestProvider, change: Partial<ServiceManifest> = {}): ServiceManifest => ({
  baseUrl: provider.url,
  ssoUrl: `${provider.url}/sso?from=berth`,
  username: 'mailer',
  password: new Secret(PASSWORD),
  ssoSalt: new Secret('salt'),
  configNames: ['MAILER_URL', 'MAILER_KEY'],
  ...change,
});

async function bench(t: TestContext): Promise<{ bench: Workbench; provider: TestProvider }> {
  const provider = await startProvider(t);
  const dialer = createDialer({ allowPrivate: true, allow: [] });
  t.after(() => dialer.close());
  const made = await workbench(t, { manifest: createManifestProvider(dialer) });
  await made.core.services.register(systemActor, {
    name: 'mailer',
    label: 'Mailer',
    plans: [{ name: 'free' }, { name: 'pro', priceCents: 900 }],
    manifest: manifest(provider),
  });
  return { bench: made, provider };
}

const config = { MAILER_URL: 'smtp://one', MAILER_KEY: 'k', OTHER: 'not in the manifest' };

test('a provider is called as its manifest says: made, changed, removed, and signed in to', async (t) => {
  const { bench: own, provider } = await bench(t);
  const { core } = own;
  const ann = await own.person('ann');
  const app = await own.createApp(ann, 'shop', 'ann');
  provider.answer = ({ method }) =>
    method === 'POST'
      ? { status: 201, body: { id: 'res/1 ü', config, message: 'welcome' } }
      : method === 'PUT'
        ? { status: 200, body: { message: 'larger', config: { ...config, MAILER_URL: 'smtp://two' } } }
        : { status: 204 };
  const { addon, operation } = await core.addons.create(ann, {
    app,
    service: 'mailer',
    plan: 'free',
    parameters: { region: 'eu' },
  });
  await own.done(operation);
  const authorization = `Basic ${Buffer.from(`mailer:${PASSWORD}`).toString('base64')}`;
  assert.deepEqual(provider.calls, [
    {
      method: 'POST',
      path: '/resources',
      authorization,
      key: addon.id,
      body: { plan: 'free', app_id: app, options: { region: 'eu' } },
    },
  ]);
  const running = await core.addons.getOfApp(ann, app, 'res/1 ü');
  assert.deepEqual([running.id, running.stateDescription], [addon.id, 'welcome']);
  assert.deepEqual(await own.environment(app), { MAILER_URL: 'smtp://one', MAILER_KEY: 'k' });

  const { url } = await core.addons.sso(ann, addon.id);
  const { pathname, searchParams } = new URL(url);
  assert.deepEqual(
    [pathname, searchParams.get('from'), searchParams.get('id')],
    ['/resources/sso', 'berth', 'res/1 ü'],
  );
  const timestamp = searchParams.get('timestamp') ?? '';
  assert.match(timestamp, /^\d{10}$/);
  assert.equal(searchParams.get('token'), createHash('sha1').update(`res/1 ü:salt:${timestamp}`).digest('hex'));
  assert.equal(ssoToken('a', new Secret('b'), '1'), createHash('sha1').update('a:b:1').digest('hex'));

  await own.done((await core.addons.upgrade(ann, addon.id, 'pro')).operation);
  assert.deepEqual(await own.environment(app), { MAILER_URL: 'smtp://two', MAILER_KEY: 'k' });
  await own.done((await core.addons.remove(ann, addon.id)).operation);
  assert.deepEqual(await own.environment(app), {});
  assert.deepEqual(
    provider.calls.slice(1).map(({ method, path, body }) => ({ method, path, body })),
    [
      { method: 'PUT', path: '/resources/res%2F1%20%C3%BC', body: { plan: 'pro' } },
      { method: 'DELETE', path: '/resources/res%2F1%20%C3%BC', body: {} },
    ],
  );
});

test('a failing provider is called again, a refusing one is not, and its words reach the owner', async (t) => {
  const { bench: own, provider } = await bench(t);
  const { core } = own;
  const ann = await own.person('ann');
  const app = await own.createApp(ann, 'shop', 'ann');
  provider.answer = () =>
    provider.calls.length < 3 ? { status: 503 } : { status: 200, body: { id: 7, config_vars: config } };
  const made = await core.addons.create(ann, { app, service: 'mailer', plan: 'free' });
  await own.done(made.operation);
  assert.deepEqual(new Set(provider.calls.map((call) => call.key)), new Set([made.addon.id]));
  assert.equal((await core.addons.get(ann, made.addon.id)).resourceId, '7');

  provider.answer = () => ({ status: 422, body: { message: 'no\n<b>pro</b> for you' } });
  const refused = await core.addons.upgrade(ann, made.addon.id, 'pro');
  await assert.rejects(own.done(refused.operation), /the provider refused: no <b>pro<\/b> for you/);
  const after = await core.addons.get(ann, made.addon.id);
  assert.deepEqual([after.state, after.planName, after.wantedPlanId], ['running', 'free', null]);
  assert.deepEqual(await own.environment(app), { MAILER_URL: 'smtp://one', MAILER_KEY: 'k' });

  provider.answer = () => ({ status: 410 });
  await own.done((await core.addons.remove(ann, made.addon.id)).operation);
  provider.answer = () => ({ status: 201, body: { config } });
  const nameless = await core.addons.create(ann, { app, service: 'mailer', plan: 'free' });
  await assert.rejects(own.done(nameless.operation), /gave no id/);
});

test('one that is accepted becomes ready when the provider calls back; what it calls later reaches every app', async (t) => {
  const { bench: own, provider } = await bench(t);
  const { core, db } = own;
  const ann = await own.person('ann');
  const app = await own.releasedApp(ann, 'shop', 'ann');
  const other = await own.createApp(ann, 'desk', 'ann');
  provider.answer = () => ({ status: 202, body: { id: 'later' } });
  const made = await core.addons.create(ann, { app, service: 'mailer', plan: 'free' });
  await until('it is known by its name', async () => (await db.addons.find(made.addon.id))?.resourceId === 'later');
  assert.equal((await core.addons.get(ann, made.addon.id)).state, 'provisioning');

  const callbacks = core.providerCallbacks;
  const service = await callbacks.signIn('mailer', new Secret(PASSWORD), '127.0.0.1');
  await callbacks.updateConfig(service, 'later', { MAILER_URL: 'smtp://late', MAILER_KEY: 'k' });
  await own.done(made.operation);
  assert.equal(provider.calls.filter((call) => call.method === 'POST').length, 1);
  await until('the app has it', async () => (await own.environment(app)).MAILER_URL === 'smtp://late');
  await own.done((await core.bindings.bind(ann, other, { addon: made.addon.id })).operation);

  const before = await db.releases.pending(app);
  const changed = await callbacks.updateConfig(service, app, { MAILER_URL: 'smtp://new', MAILER_KEY: null });
  assert.deepEqual([changed.ownerEmail, changed.addon.id], ['ann@berth.test', made.addon.id]);
  assert.deepEqual(await own.environment(app), { MAILER_URL: 'smtp://new' });
  assert.deepEqual(await own.environment(other), { MAILER_URL: 'smtp://new' });
  // Only what runs was restarted by it.
  const told = async (appId: string) =>
    (await db.events.list({ appId, kinds: ['ConfigChanged', 'AppRestarted'] }, { limit: 2 })).items;
  const [restarted, config] = await told(app);
  assert.deepEqual([restarted?.kind, restarted?.data.byProvider], ['AppRestarted', true]);
  assert.deepEqual(
    [config?.kind, config?.data.set, config?.data.added, config?.data.removed],
    ['ConfigChanged', ['MAILER_URL'], [], ['MAILER_KEY']],
  );
  assert.deepEqual(
    (await told(other)).map(({ kind }) => kind),
    ['ConfigChanged'],
  );
  const release = await db.releases.pending(app);
  assert.deepEqual([release?.kind, release?.version], ['config', (before?.version ?? 0) + 1]);
  await assert.rejects(
    callbacks.updateConfig(service, 'later', { PATH: '/tmp' }),
    (error: unknown) => error instanceof BerthError && error.details.code === 'unknown-variable',
  );
});

test('providers sign in with their manifest and see their own add-ons only', async (t) => {
  const { bench: own, provider } = await bench(t);
  const { core } = own;
  await core.services.register(systemActor, {
    name: 'other',
    plans: [{ name: 'free' }],
    manifest: manifest(provider, { username: 'other', baseUrl: `${provider.url}/other` }),
  });
  const ann = await own.person('ann');
  const app = await own.createApp(ann, 'shop', 'ann');
  provider.answer = ({ key }) => ({ status: 201, body: { id: `r-${key}`, config } });
  const made = await Promise.all(
    ['one', 'two', 'three'].map((name) => core.addons.create(ann, { app, service: 'mailer', plan: 'free', name })),
  );
  await Promise.all(made.map(({ operation }) => own.done(operation)));
  const callbacks = core.providerCallbacks;
  const unauthenticated = (error: unknown) => error instanceof BerthError && error.kind === 'unauthenticated';
  await assert.rejects(callbacks.signIn('mailer', new Secret('wrong'), '10.0.0.1'), unauthenticated);
  await assert.rejects(callbacks.signIn('nobody', new Secret(PASSWORD), '10.0.0.1'), unauthenticated);
  await assert.rejects(callbacks.signIn('mailer', new Secret(''), '10.0.0.1'), unauthenticated);
  const mailer = await callbacks.signIn('mailer', new Secret(PASSWORD), '10.0.0.1');
  const other = await callbacks.signIn('other', new Secret(PASSWORD), '10.0.0.1');
  const first = await callbacks.list(mailer, { limit: 2 });
  const second = await callbacks.list(mailer, { limit: 2, after: first.next ?? '' });
  assert.deepEqual(
    [...first.items, ...second.items].map((item) => item.name),
    ['one', 'three', 'two'],
  );
  assert.deepEqual((await callbacks.list(other, { limit: 10 })).items, []);
  const id = made[0]?.addon.id ?? '';
  assert.equal((await callbacks.get(mailer, id)).config.MAILER_KEY?.reveal(), 'k');
  for (const reference of [id, `r-${id}`, app]) {
    const missing = (error: unknown) => error instanceof BerthError && error.kind === 'not-found';
    await assert.rejects(callbacks.get(other, reference), missing);
    await assert.rejects(callbacks.updateConfig(other, reference, { MAILER_KEY: 'x' }), missing);
  }
});

test('manifests are checked, kept sealed, and only whoever may registers one', async (t) => {
  const { bench: own, provider } = await bench(t);
  const { core, db } = own;
  const ann = await own.person('ann');
  const register = (change: Partial<ServiceManifest>) =>
    core.services.register(systemActor, {
      name: 'another',
      plans: [{ name: 'free' }],
      manifest: manifest(provider, { username: 'another', ...change }),
    });
  const invalid = (error: unknown) => error instanceof BerthError && error.kind === 'invalid';
  await assert.rejects(register({ baseUrl: 'file:///etc/passwd' }), invalid);
  await assert.rejects(register({ baseUrl: 'http://user:pw@host/' }), invalid);
  await assert.rejects(register({ password: new Secret('short') }), invalid);
  await assert.rejects(register({ username: 'a:b' }), invalid);
  await assert.rejects(register({ configNames: ['not a name'] }), invalid);
  await assert.rejects(
    register({ username: 'mailer' }),
    (error: unknown) => error instanceof BerthError && error.kind === 'conflict',
  );
  const mine = { name: 'mine', plans: [{ name: 'free' }], manifest: manifest(provider, { username: 'mine' }) };
  await assert.rejects(
    core.services.register(ann, mine),
    (error: unknown) => error instanceof BerthError && error.kind === 'forbidden',
  );
  const shown = JSON.stringify(await core.services.list());
  assert.ok(shown.includes('mailer') && !shown.includes(PASSWORD) && !shown.includes('salt'));

  const app = await own.createApp(ann, 'shop', 'ann');
  provider.answer = () => ({ status: 201, body: { id: 'r', config } });
  const made = await core.addons.create(ann, { app, service: 'mailer', plan: 'pro' });
  await own.done(made.operation);
  const taken = (expected: string) => (error: unknown) =>
    error instanceof BerthError && error.details.code === expected;
  await assert.rejects(core.services.remove(systemActor, 'mailer'), taken('service-has-addons'));
  await assert.rejects(
    core.services.update(systemActor, 'mailer', { plans: [{ name: 'free' }] }),
    taken('plan-has-addons'),
  );
  const updated = await core.services.update(systemActor, 'mailer', {
    label: 'Mail',
    plans: [{ name: 'pro', label: 'Professional' }],
  });
  assert.deepEqual(
    updated.plans.map((plan) => [plan.name, plan.label]),
    [['pro', 'Professional']],
  );
  assert.equal((await core.addons.get(ann, made.addon.id)).planLabel, 'Professional');
  assert.equal((await db.services.findManifest(updated.id))?.password.reveal(), PASSWORD);
  await own.done((await core.addons.remove(ann, made.addon.id)).operation);
  await core.services.remove(systemActor, 'mailer');
  assert.equal(await db.services.find('mailer'), null);
});
