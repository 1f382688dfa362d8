/** Every route of the Akkeris dialect, and what each kind of caller gets; see route-walk.ts. */
import { after, before, suite } from 'node:test';
import { dynoName } from '../../src/dialects/akkeris/dyno-shape.ts';
import { akkerisRoutes } from '../../src/dialects/akkeris/routes.ts';
import { call, finishBuild, type Served, serveAkkeris } from '../conformance/akkeris/served.ts';
import { type Expected, walkRoutes } from './route-walk.ts';
import { runInstance } from './running-instance.ts';

const inApp = (member: number, body?: unknown): Expected => ({
  member,
  stranger: 404,
  ...(body === undefined ? {} : { body }),
});
const forAll = (status: number, body?: unknown): Expected => ({ ...inApp(status, body), stranger: status });
const open = (status: number): Expected => ({ member: status, stranger: status, nobody: status });

const routes: Readonly<Record<string, Expected>> = {
  'GET /account': forAll(200),
  'POST /authorizations': open(401),
  'GET /octhc': open(200),
  'GET /regions': forAll(200),
  'GET /regions/:region': forAll(200),
  'GET /stacks': forAll(200),
  'GET /stacks/:stack': forAll(200),
  'GET /sizes': forAll(200),
  'GET /spaces': forAll(200),
  'GET /spaces/:space': forAll(200),
  'POST /spaces': forAll(200, { name: 'fresh' }),
  'GET /organizations': forAll(200),
  'POST /organizations': forAll(201, { name: 'fresh' }),
  'GET /organizations/:org': inApp(200),
  // It still has apps; without elevated access it is forbidden before.
  'DELETE /organizations/:org': { member: 403, stranger: 404, admin: 409 },
  'GET /apps': forAll(200),
  'POST /apps': { ...inApp(201, { name: 'fresh', space: 'default', org: 'acme' }) },
  'GET /apps/:app': inApp(200),
  'PATCH /apps/:app': inApp(200, { description: 'x' }),
  'DELETE /apps/:app': inApp(200),
  'GET /favorites': forAll(200),
  'POST /favorites': inApp(201, { app: 'mine-default' }),
  'DELETE /favorites/:app': { member: 204, stranger: 404, admin: 404 },
  'GET /apps/:app/builds': inApp(200),
  'POST /apps/:app/builds': inApp(201, { url: 'data:,x' }),
  'GET /apps/:app/builds/:build': inApp(200),
  'GET /apps/:app/builds/:build/result': inApp(200),
  'PUT /apps/:app/builds/:build': inApp(201),
  'DELETE /apps/:app/builds/:build': inApp(409),
  'GET /slugs/:slug': inApp(200),
  'GET /apps/:app/releases': inApp(200),
  'POST /apps/:app/releases': inApp(201, { slug: 'latest' }),
  'GET /apps/:app/releases/:release': inApp(200),
  'GET /apps/:app/formation': inApp(200),
  'POST /apps/:app/formation': inApp(201, { type: 'clock', command: 'node c.js' }),
  'PATCH /apps/:app/formation': inApp(200, [{ type: 'web', quantity: 2 }]),
  'GET /apps/:app/formation/:type': inApp(200),
  'PATCH /apps/:app/formation/:type': inApp(200, { quantity: 2 }),
  'DELETE /apps/:app/formation/:type': inApp(200),
  'GET /apps/:app/dynos': inApp(200),
  'DELETE /apps/:app/dynos': inApp(202),
  'GET /apps/:app/dynos/:dyno': inApp(200),
  'DELETE /apps/:app/dynos/:dyno': inApp(202),
  'POST /apps/:app/dynos/:dyno/actions/attach': inApp(200, { command: ['sh', '-c', 'kill -15 -1'] }),
  'POST /apps/:app/dynos/:dyno/actions/stop': inApp(200),
  'GET /apps/:app/config-vars': inApp(200),
  'PATCH /apps/:app/config-vars': inApp(200, { FRESH: 'x' }),
  'GET /apps/:app/config-vars/notes': inApp(200),
  'PATCH /apps/:app/config-vars/notes': inApp(200, { KNOWN: { required: true } }),
  'GET /apps/:app/features': inApp(200),
  'GET /apps/:app/features/:feature': inApp(200),
  'PATCH /apps/:app/features/:feature': inApp(200, { enabled: true }),
  'POST /apps/:app/log-sessions': inApp(201, { lines: 1 }),
  'GET /log-sessions/:token': open(404),
};

suite('routes', () => {
  const endings: (() => unknown)[] = [];
  let served: Served;
  before(async () => {
    served = await serveAkkeris({ after: (work) => void endings.push(work as () => unknown) });
  });
  after(async () => {
    for (const end of endings) await end();
  });

  /** An app of the team `acme` with one of everything; gives what the parameters of a path stand for. */
  async function setUp(): Promise<Record<string, string>> {
    const { core, db, engine, tokens } = served;
    const as = `Bearer ${tokens.admin}`;
    const send = async (method: string, path: string, body: unknown): Promise<Record<string, string>> =>
      (await call(served.url, method, path, { as, body })).json<Record<string, string>>();
    const { id: appId = '' } = await send('POST', '/apps', { name: 'mine', space: 'default', org: 'acme' });
    const path = '/apps/mine-default';
    const { id: build = '' } = await send('POST', `${path}/builds`, { url: 'data:,x' });
    await finishBuild(db, build);
    const { id: release = '' } = await send('POST', `${path}/releases`, { slug: build });
    await send('PATCH', `${path}/config-vars`, { KNOWN: 'x' });
    const member = await core.authenticator.byToken(tokens.member);
    await core.favorites.add(member, member.name, 'mine-default');
    const id = await runInstance({ db, engine }, { id: appId, releaseId: release, type: 'web' });
    return {
      app: 'mine-default',
      build,
      release,
      slug: build,
      type: 'web',
      dyno: `web.${dynoName(id)}`,
      feature: 'preview',
      org: 'acme',
      space: 'default',
      region: 'us-seattle',
      stack: 'ds1',
      token: 'ab'.repeat(40),
    };
  }

  /** Back to before `setUp`, with what the call under test has made gone too. */
  async function tearDown(): Promise<void> {
    const { core, db, engine } = served;
    for (const { id } of await engine.list()) await engine.remove(id);
    for (const id of await db.apps.allIds()) await db.apps.purge(id);
    const admin = await core.authenticator.byToken(served.tokens.admin);
    for (const reference of ['fresh']) {
      await core.teams.remove(admin, reference).catch(() => {});
      await core.spaces.remove(admin, reference).catch(() => {});
    }
  }

  walkRoutes({
    served: () => served,
    known: () => akkerisRoutes(served.parts),
    expected: routes,
    authorization: (token) => `Bearer ${token}`,
    setUp,
    tearDown,
  });
});
