// test-timeout: 400
/** Every route of the Scalingo dialect, and what each kind of caller gets; see route-walk.ts. */
import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { after, before, suite } from 'node:test';
import { createManifestProvider } from '../../src/addons/manifest-provider/manifest-provider.ts';
import type { Actor } from '../../src/core/access/actor.ts';
import { systemActor } from '../../src/core/access/actor.ts';
import { shortId } from '../../src/core/names.ts';
import type { ServiceManifest } from '../../src/core/ports/addon-provider.ts';
import { Secret } from '../../src/core/ports/secret.ts';
import { MANIFEST_PROVIDER } from '../../src/core/services/catalogue-service.ts';
import { newSource, ownSource } from '../../src/dialects/scalingo/deployments/source-urls.ts';
import { scalingoRoutes } from '../../src/dialects/scalingo/routes.ts';
import { attachUrl } from '../../src/dialects/scalingo/run/attach-url.ts';
import { createDialer } from '../../src/lib/dialer.ts';
import { basic, type ServedScalingo, serveScalingo } from '../conformance/scalingo/served.ts';
import { startProvider, type TestProvider } from '../support/addon-provider.ts';
import { publicKey } from '../support/public-key.ts';
import { call, finishBuild } from '../support/served.ts';
import { type Expected, walkRoutes } from './route-walk.ts';

const inApp = (member: number, body?: unknown): Expected => ({
  member,
  stranger: 404,
  ...(body === undefined ? {} : { body }),
});
const forAll = (status: number, body?: unknown): Expected => ({ ...inApp(status, body), stranger: status });
const open = (status: number, body?: unknown): Expected => ({ ...forAll(status, body), nobody: status });
/** Of the member's account: nobody else's, not even an administrator's. */
const own = (member: number, body?: unknown): Expected => ({ ...inApp(member, body), admin: 404 });

const app = '/v1/apps/:app';

const account: Readonly<Record<string, Expected>> = {
  'POST /v1/users/sign_in': open(401, { user: { login: 'member', password: 'not it' } }),
  'POST /v1/users': {
    body: { user: { email: 'fresh@apps.test', password: 'a long enough password' } },
    nobody: 403,
    stranger: 403,
    member: 403,
    admin: 201,
  },
  'GET /v1/users/self': forAll(200),
  'GET /v1/account/profile': forAll(200),
  'PATCH /v1/account/profile': forAll(200, { user: { stop_free_trial: true } }),
  'POST /v1/tokens/exchange': forAll(200, {}),
  'POST /v1/tokens': forAll(201, { token: { name: 'fresh' } }),
  'GET /v1/tokens': forAll(200),
  'GET /v1/tokens/:token': own(200),
  'PATCH /v1/tokens/:token/renew': own(200),
  'DELETE /v1/tokens/:token': own(204),
  ...Object.fromEntries(
    ['/v1/account/keys', '/v1/keys'].flatMap((path): [string, Expected][] => [
      [`GET ${path}`, forAll(200)],
      [`POST ${path}`, forAll(422, { key: { name: 'bad', content: 'no key' } })],
      [`GET ${path}/:key`, own(200)],
      [`DELETE ${path}/:key`, own(204)],
    ]),
  ),
};

const platform: Readonly<Record<string, Expected>> = {
  'GET /v1/regions': open(200),
  'GET /v1/features/stacks': open(200),
  'GET /v1/features/container_sizes': open(200),
  'GET /v1/notification_platforms': open(200),
  'GET /v1/scm_integrations': forAll(200),
  'GET /v1/scm_repo_links': forAll(200),
  'GET /v1/projects': forAll(200),
};

const apps: Readonly<Record<string, Expected>> = {
  'GET /v1/apps': forAll(200),
  'POST /v1/apps': forAll(201, { app: { name: 'fresh-app' } }),
  'GET /v1/apps/collaboration': { member: 404, stranger: 404 },
  [`GET ${app}`]: inApp(200),
  [`DELETE ${app}`]: inApp(422),
  [`PATCH ${app}`]: inApp(422, { app: { owner: 'nobody@apps.test' } }),
  [`PUT ${app}`]: inApp(200, { force_https: false }),
  [`POST ${app}/rename`]: inApp(200, { current_name: 'mine-app', new_name: 'other-app' }),
  [`GET ${app}/child_apps`]: inApp(200),
  [`POST ${app}/child_apps`]: inApp(201, { app: { name: 'child-app' } }),
  [`GET ${app}/containers`]: inApp(200),
  [`GET ${app}/ps`]: inApp(200),
  [`POST ${app}/scale`]: inApp(202, { containers: [{ name: 'web', amount: 2 }] }),
  [`POST ${app}/restart`]: inApp(202, { scope: null }),
  [`GET ${app}/operations/:operation`]: inApp(200),
  [`GET ${app}/variables`]: inApp(200),
  [`POST ${app}/variables`]: inApp(201, { variable: { name: 'FRESH', value: 'x' } }),
  [`PUT ${app}/variables`]: inApp(200, { variables: [{ name: 'FRESH', value: 'x' }] }),
  [`DELETE ${app}/variables`]: inApp(404, { variable_ids: ['ab'.repeat(12)] }),
  [`PATCH ${app}/variables/:variable`]: inApp(200, { variable: { value: 'y' } }),
  [`DELETE ${app}/variables/:variable`]: inApp(204),
  [`GET ${app}/collaborators`]: inApp(200),
  [`POST ${app}/collaborators`]: inApp(201, { collaborator: { email: 'fresh@apps.test' } }),
  [`DELETE ${app}/collaborators/:collaborator`]: inApp(204),
  [`GET ${app}/domains`]: inApp(200),
  [`POST ${app}/domains`]: inApp(201, { domain: { name: 'fresh.example.org' } }),
  [`GET ${app}/domains/:domain`]: inApp(200),
  [`PATCH ${app}/domains/:domain`]: inApp(200, { domain: { id: '', name: '', ssl: false } }),
  [`DELETE ${app}/domains/:domain`]: inApp(204),
  [`GET ${app}/autoscalers`]: inApp(200),
  [`GET ${app}/notifiers`]: inApp(200),
  [`GET ${app}/notifications`]: inApp(200),
  [`GET ${app}/alerts`]: inApp(200),
  [`GET ${app}/cron_tasks`]: inApp(200),
  [`GET ${app}/log_drains`]: inApp(200),
};

const manifest = {
  name: 'Fresh',
  username: 'fresh',
  password: 'a manifest password',
  sso_salt: 'salt',
  config_vars: ['FRESH_URL'],
  production: { base_url: 'http://fresh.test/resources' },
  plans: [{ name: 'free' }],
};
/** Only administrators change the catalogue; everybody sees that it is there. */
const catalogue = (admin: number, body?: unknown): Expected => ({ ...forAll(403, body), admin });

const addons: Readonly<Record<string, Expected>> = {
  'GET /v1/addon_providers': open(200),
  'GET /v1/addon_categories': open(200),
  'GET /v1/addon_providers/:provider': open(200),
  'GET /v1/addon_providers/:provider/plans': open(200),
  'POST /v1/addon_providers': catalogue(201, manifest),
  'PUT /v1/addon_providers/:provider': catalogue(200, { ...manifest, username: 'walker' }),
  // It has an add-on.
  'DELETE /v1/addon_providers/:provider': catalogue(422),
  [`GET ${app}/addons`]: inApp(200),
  [`POST ${app}/addons`]: inApp(201, { addon: { addon_provider_id: 'walker', plan_id: 'free' } }),
  [`GET ${app}/addons/:addon`]: inApp(200),
  [`PATCH ${app}/addons/:addon`]: inApp(200, { addon: { plan_id: 'pro' } }),
  [`DELETE ${app}/addons/:addon`]: inApp(204),
  [`GET ${app}/addons/:addon/sso`]: inApp(200),
  [`POST ${app}/addons/:addon/sso`]: inApp(200),
  [`POST ${app}/addons/:addon/token`]: inApp(200),
  // No token opens these: only a provider's own name and password do.
  'GET /v1/provider/apps': open(401),
  'GET /v1/provider/apps/:id': open(401),
  'PATCH /v1/provider/apps/:id': open(401, { config: { WALKER_URL: 'x' } }),
};

const events: Readonly<Record<string, Expected>> = {
  'GET /v1/events': forAll(200),
  'GET /v1/events/:event': own(200),
  'GET /v1/event_types': open(200),
  'GET /v1/event_categories': open(200),
  [`GET ${app}/events`]: inApp(200),
  [`GET ${app}/events/:event`]: inApp(200),
};

const deployments: Readonly<Record<string, Expected>> = {
  'POST /v1/sources': forAll(201, {}),
  'PUT /v1/sources/upload/:upload': open(200, 'bytes'),
  'GET /v1/sources/download/:download': open(200),
  [`GET ${app}/deployments`]: inApp(200),
  [`POST ${app}/deployments`]: inApp(201, { deployment: { source_url: 'https://example.test/source.tgz' } }),
  [`GET ${app}/deployments/:deployment`]: inApp(200),
  [`GET ${app}/deployments/:deployment/output`]: inApp(200),
  // It has ended.
  [`POST ${app}/deployments/:deployment/abort`]: inApp(422),
  [`POST ${app}/deployments/:deployment/cancel`]: inApp(422),
  [`DELETE ${app}/caches/deployment`]: inApp(204),
};

const running: Readonly<Record<string, Expected>> = {
  [`GET ${app}/logs`]: inApp(200),
  [`POST ${app}/logs`]: inApp(200, {}),
  [`GET ${app}/logs_archives`]: inApp(200),
  // Without its token it is nobody's.
  'GET /apps/:app/logs': open(404),
  [`GET ${app}/stats`]: inApp(200),
  [`GET ${app}/stats/:metric`]: inApp(200),
  [`GET ${app}/stats/:metric/:type`]: inApp(200),
  // No such container runs.
  [`GET ${app}/stats/:metric/:type/:index`]: inApp(404),
  'GET /v1/features/metrics': forAll(200),
  [`POST ${app}/run`]: inApp(200, { command: 'ls' }),
  [`POST ${app}/containers/:container/stop`]: inApp(202, {}),
  // It waits for somebody to attach.
  [`POST ${app}/containers/:container/kill`]: inApp(422, { signal: 'SIGTERM' }),
  'PUT /v1/one-offs/:attachment': inApp(200, { width: '80', height: '24' }),
  'POST /v1/one-offs/:attachment/files': inApp(400, {}),
  'GET /v1/one-offs/:attachment/wait': inApp(200),
};

suite('routes', () => {
  const endings: (() => unknown)[] = [];
  let served: ServedScalingo;
  let provider: TestProvider;
  before(async () => {
    const suiteEnd = { after: (work: unknown) => void endings.push(work as () => unknown) };
    provider = await startProvider(suiteEnd);
    const dialer = createDialer({ allowPrivate: true, allow: [] });
    endings.push(() => dialer.close());
    served = await serveScalingo(suiteEnd, {}, { [MANIFEST_PROVIDER]: createManifestProvider(dialer) });
    provider.answer = ({ method }) =>
      method === 'POST'
        ? { status: 201, body: { id: 'resource', config: { WALKER_URL: 'x' } } }
        : { status: method === 'DELETE' ? 204 : 200 };
  });
  after(async () => {
    for (const end of endings) await end();
  });

  /** Of somebody else's service, which the app has an add-on of. */
  const walker = (): ServiceManifest => ({
    baseUrl: provider.url,
    ssoUrl: `${provider.url}/sso`,
    username: 'walker',
    password: new Secret('a manifest password'),
    ssoSalt: new Secret('salt'),
    configNames: ['WALKER_URL'],
  });

  /** The member's app `mine-app` with one of everything, and things of the member's account. */
  async function setUp(): Promise<Record<string, string>> {
    const { core, db, tokens } = served;
    const as = basic(tokens.member);
    const send = async (method: string, path: string, body: unknown): Promise<Record<string, { id: string }>> => {
      const answer = await call(served.url, method, `/v1${path}`, { as, body });
      assert.ok(answer.status < 300, `${method} ${path}: ${answer.text}`);
      return answer.json();
    };
    const { app: made } = await send('POST', '/apps', { app: { name: 'mine-app' } });
    const { variable } = await send('POST', '/apps/mine-app/variables', { variable: { name: 'KNOWN', value: 'x' } });
    const invited = await send('POST', '/apps/mine-app/collaborators', { collaborator: { email: 'guest@apps.test' } });
    const { domain } = await send('POST', '/apps/mine-app/domains', { domain: { name: 'known.example.org' } });
    const member = await core.authenticator.byToken(tokens.member);
    const operation = await core.apps.restart(member, 'mine-app');
    await db.operations.finish(operation.id, null, 'succeeded', null);
    const key = await core.keys.add(member, { name: 'laptop', content: publicKey() });
    const { token } = await core.tokens.createPersonal(member, { name: 'walk', lifetimeMs: null });
    await core.services.register(systemActor, {
      name: 'walker',
      plans: [{ name: 'free' }, { name: 'pro' }],
      manifest: walker(),
    });
    const addon = await core.addons.create(member, { app: 'mine-app', service: 'walker', plan: 'free' });
    assert.equal((await core.addons.whenDone(addon.operation, 20_000)).status, 'succeeded');
    const { items } = await core.events.slice(
      member,
      { app: 'mine-app', selections: [{ kinds: ['AppCreated'] }] },
      { offset: 0, limit: 1 },
    );
    const upload = newSource(served.parts, '');
    const known = newSource(served.parts, '');
    const blob = ownSource(served.parts, `http://x${known.download_url}`);
    await served.parts.blobs.put(Readable.from([Buffer.from('bytes')]), { id: blob ?? '', maxBytes: 10 });
    const { deployment, container, attachment } = await deployed(member);
    return {
      upload: lastPart(upload.upload_url),
      download: lastPart(known.download_url),
      deployment,
      container,
      attachment,
      metric: 'cpu',
      type: 'web',
      index: '9',
      addon: shortId(addon.addon.id),
      provider: 'walker',
      id: addon.addon.id,
      event: shortId(items[0]?.id ?? ''),
      app: 'mine-app',
      appId: made?.id ?? '',
      variable: variable?.id ?? '',
      collaborator: invited.collaborator?.id ?? '',
      domain: domain?.id ?? '',
      operation: shortId(operation.id),
      key: shortId(key.id),
      token: shortId(token.id),
    };
  }

  /** A deployment that has ended, and of it a one-off that waits, and the token of one that was attached to and has ended. */
  async function deployed(member: Actor): Promise<{ deployment: string; container: string; attachment: string }> {
    const { core, db, parts } = served;
    const source = { kind: 'archive', url: new Secret('https://example.test/a.tgz'), checksum: null } as const;
    const build = await core.builds.create(member, 'mine-app', { source });
    await finishBuild(db, build.id);
    const release = await core.releases.deploy(member, 'mine-app', build.id);
    await db.releases.advance(release.id, ['pending'], { status: 'succeeded' });
    // Nothing makes it run here, and an app on its way is not to be scaled.
    await db.apps.update(release.appId, { currentReleaseId: release.id, stopped: true });
    for (const subject of [build.id, release.id]) {
      const operation = await db.operations.findBySubject(subject);
      if (operation !== null) await db.operations.finish(operation.id, null, 'succeeded', null);
    }
    const { id } = await core.oneOffs.create(member, 'mine-app', { command: 'sleep 60', detached: false });
    const over = await core.oneOffs.create(member, 'mine-app', { command: 'sleep 60', detached: false });
    const session = await (await core.attachments.take(member, over.id)).start({ columns: 80, rows: 24 });
    session.stdin.end();
    session.stdout.resume();
    await session.kill('SIGKILL');
    await session.exit;
    return { deployment: build.id, container: shortId(id), attachment: lastPart(attachUrl(parts, '', over.id)) };
  }

  async function tearDown(): Promise<void> {
    const { core, db, tokens } = served;
    const { items } = await core.addons.list(systemActor, {}, { limit: 1000 });
    if (items.length > 0) await core.services.update(systemActor, 'walker', { manifest: walker() });
    for (const { id } of items) {
      const { operation } = await core.addons.remove(systemActor, id, { force: true });
      await core.addons.whenDone(operation, 20_000);
    }
    for (const name of ['walker', 'fresh']) await core.services.remove(systemActor, name).catch(() => {});
    for (const id of await db.apps.allIds()) await db.apps.purge(id);
    const fresh = await db.users.find('fresh@apps.test');
    if (fresh !== null) await db.users.remove(fresh.id);
    for (const token of Object.values(tokens)) {
      const actor = await core.authenticator.byToken(token);
      for (const key of await core.keys.list(actor)) await core.keys.remove(actor, key.id);
      for (const { id } of await core.tokens.listPersonal(actor))
        if (id !== actor.tokenId) await core.tokens.revoke(actor, id);
    }
  }

  walkRoutes({
    served: () => served,
    known: () => scalingoRoutes(served.parts),
    expected: { ...account, ...platform, ...apps, ...addons, ...events, ...deployments, ...running },
    authorization: basic,
    setUp,
    tearDown,
    bare: (text) =>
      text === '{"error":"The given credentials are missing or not valid"}' ||
      text.startsWith('{"success":false,"message":'),
  });
});

const lastPart = (url: string): string => url.slice(url.lastIndexOf('/') + 1);
