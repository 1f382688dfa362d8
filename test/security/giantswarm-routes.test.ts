/** Every route of the Giant Swarm dialect, and what each kind of caller gets; see route-walk.ts. */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { Secret } from '../../src/core/ports/secret.ts';
import { instanceIdOf } from '../../src/dialects/giantswarm/instance-id.ts';
import { instanceUpgrades } from '../../src/dialects/giantswarm/instances/instance-routes.ts';
import { giantSwarmRoutes } from '../../src/dialects/giantswarm/routes.ts';
import { type ServedSwarm, serveGiantSwarm } from '../conformance/giantswarm/served.ts';
import { call, finishBuild } from '../support/served.ts';
import { type Expected, walkRoutes } from './route-walk.ts';
import { runInstance } from './running-instance.ts';

/** An organization that is not the caller's is forbidden, whether it is there or not. */
const inOrganization = (member: number, body?: unknown): Expected => ({
  member,
  stranger: 403,
  ...(body === undefined ? {} : { body }),
});
const forAll = (status: number, body?: unknown): Expected => ({ ...inOrganization(status, body), stranger: status });
const open = (status: number): Expected => ({ member: status, stranger: status, nobody: status });

const environment = '/v1/org/:org/env/:env';
const app = `${environment}/app/:app`;
const service = `${app}/service/:service`;
const component = `${service}/component/:component`;
const definition = (name: string) => ({
  app_name: name,
  services: [
    {
      service_name: 'api',
      components: [{ component_name: 'web', image: 'registry.test/acme/built', ports: [80] }],
    },
  ],
});

const routes: Readonly<Record<string, Expected>> = {
  'GET /v1/ping': open(200),
  // Without a password nobody signs in.
  'POST /v1/user/:user/login': open(400),
  'POST /v1/token/logout': forAll(200),
  'GET /v1/user/me': forAll(200),
  'GET /v1/user/me/memberships': forAll(200),
  'POST /v1/user/me/email/update': forAll(400, { old_email: 'not@it', new_email: 'a@b' }),
  'POST /v1/user/me/password/update': forAll(400, { old_password: 'bm90', new_password: 'aXQhISEh' }),
  'POST /v1/org': forAll(200, { org_id: 'fresh' }),
  'GET /v1/org/:org': { member: 200, stranger: 404 },
  // It has apps.
  'DELETE /v1/org/:org': inOrganization(403),
  'POST /v1/org/:org/members/add': inOrganization(400, { username: 'nobody-at-all' }),
  'POST /v1/org/:org/members/remove': inOrganization(400, { username: 'nobody-at-all' }),
  'GET /v1/org/:org/env': inOrganization(200),
  [`GET ${environment}/app`]: inOrganization(200),
  [`POST ${environment}/app`]: inOrganization(200, definition('fresh')),
  [`DELETE ${app}`]: inOrganization(200),
  [`POST ${app}/start`]: inOrganization(200),
  [`POST ${app}/stop`]: inOrganization(200),
  [`GET ${app}/status`]: inOrganization(200),
  [`GET ${app}/config`]: inOrganization(200),
  [`POST ${service}/start`]: inOrganization(200),
  [`POST ${service}/stop`]: inOrganization(200),
  [`GET ${service}/status`]: inOrganization(200),
  [`GET ${component}/status`]: inOrganization(200),
  [`POST ${component}/version/:version/update`]: inOrganization(200),
  [`POST ${component}/scaleup/:scale`]: inOrganization(200),
  [`POST ${component}/scaledown/:scale`]: inOrganization(200),
  'GET /v1/org/:org/instance/:instance/logs': inOrganization(200),
  'GET /v1/org/:org/instance/:instance/stats': inOrganization(200),
  'POST /v1/org/:org/instance/:instance/stats': inOrganization(200),
  'POST /v1/org/:org/instance/:instance/exec': inOrganization(200, { cmd: ['true'], detach: true }),
  'POST /v1/org/:org/instance/:instance/exec/:exec/resize': { ...inOrganization(404), admin: 404 },
  'POST /v1/org/:org/stream/logs': inOrganization(200, { instances: [] }),
  'POST /v1/org/:org/stream/stats': inOrganization(200, { instances: [], interval: 2 }),
};

suite('routes', () => {
  const endings: (() => unknown)[] = [];
  let served: ServedSwarm;
  before(async () => {
    served = await serveGiantSwarm({ after: (work) => void endings.push(work as () => unknown) });
  });
  after(async () => {
    for (const end of endings) await end();
  });

  /** Tokens end with a logout, so each walk has its own. */
  async function setUp(): Promise<Record<string, string>> {
    const { core, db, tokens, url } = served;
    const member = await core.authenticator.byToken(tokens.member);
    const space = await db.spaces.find('default', null);
    if (space === null) throw new Error('the default space is not there');
    const built = await core.apps.create(member, { name: 'built', team: 'acme', spaceId: space.id });
    const { id: build } = await core.builds.create(member, built.id, {
      source: { kind: 'archive', url: new Secret('data:,x'), checksum: null },
    });
    await finishBuild(db, build);
    const as = `giantswarm ${tokens.member}`;
    await call(url, 'POST', '/v1/org/acme/env/dev/app', { as, body: definition('mine') });
    await call(url, 'POST', '/v1/org/acme/env/dev/app/mine/start', { as });
    const mine = await core.apps.get(member, 'mine-dev');
    const release = await core.releases.target(member, mine.id);
    await runInstance(served, { id: mine.id, releaseId: release?.id ?? '', type: 'api/web' });
    return {
      org: 'acme',
      env: 'dev',
      app: 'mine',
      appId: mine.id,
      service: 'api',
      component: 'web',
      version: 'latest',
      scale: '1',
      exec: 'ab'.repeat(16),
      user: 'member',
      instance: instanceIdOf(mine.id, 'api/web', '0-0'),
    };
  }

  async function tearDown(): Promise<void> {
    const { core, db, engine, tokens } = served;
    for (const { id } of await engine.list()) await engine.remove(id);
    for (const id of await db.apps.allIds()) await db.apps.purge(id);
    for (const [name, token] of Object.entries(tokens)) {
      const user = await db.users.find(name);
      // A logout ended it.
      if (user !== null && (await core.authenticator.byToken(token).catch(() => null)) === null)
        await core.authenticator.issue({
          kind: 'personal',
          name: 'test',
          userId: user.id,
          teamId: null,
          lifetimeMs: null,
          text: new Secret(token),
        });
    }
    const admin = await core.authenticator.byToken(tokens.admin);
    await core.teams.remove(admin, 'fresh').catch(() => {});
  }

  test('what takes a connection over is an exec or one of two streams', () => {
    const { raw, webSockets } = instanceUpgrades(served.parts);
    const exec = '/v1/org/acme/instance/by3we1wr77b7/exec';
    assert.deepEqual(
      raw.map(({ methods, path }) => [methods, path.test(exec)]),
      [[['POST'], true]],
    );
    assert.deepEqual(
      webSockets.map(({ path }) => ['logs', 'stats'].filter((stream) => path.test(`/v1/org/acme/stream/${stream}`))),
      [['logs'], ['stats']],
    );
  });

  walkRoutes({
    served: () => served,
    // An exec takes its connection over, so it is no route of the list; who may open the WebSockets is shown by streams.test.ts.
    known: () => [...giantSwarmRoutes(served.parts), { method: 'POST', path: '/v1/org/:org/instance/:instance/exec' }],
    expected: routes,
    authorization: (token) => `giantswarm ${token}`,
    setUp,
    tearDown,
    bare: (text) => text.startsWith('authentication is required') || text.length < 80,
  });
});
