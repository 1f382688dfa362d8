/**
 * Walks every route of the Akkeris dialect with every kind of caller: nobody, another team's member, a member, an administrator. A route
 * that is not listed here fails, and so does a listed one that is gone. Another team's things answer as if they were not there.
 */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { isId } from '../../src/core/names.ts';
import { dynoName } from '../../src/dialects/akkeris/dyno-shape.ts';
import { akkerisRoutes } from '../../src/dialects/akkeris/routes.ts';
import { systemClock, systemIds } from '../../src/lib/clock.ts';
import { call, finishBuild, type Served, serveAkkeris } from '../conformance/akkeris/served.ts';

interface Expected {
  readonly body?: unknown;
  /** What a member of the app's team gets, and an administrator too unless said otherwise. */
  readonly member: number;
  readonly stranger: number;
  readonly admin?: number;
  /** The answer without credentials; 401 unless the route is public. */
  readonly nobody?: number;
}

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
    const now = systemClock.now();
    const id = systemIds.id();
    const running = await engine.start({
      id,
      kind: 'process',
      appId,
      appHandle: 'mine',
      spaceId: systemIds.id(),
      processType: 'web',
      generation: 'g',
      artifactDigest: 'sha256:ab',
      command: 'node web.js',
      environment: {},
      ports: 'any',
      limits: { memoryBytes: 1, cpuShares: 1, pids: 1 },
      graceMs: 0,
    });
    await db.instances.insert({
      id,
      appId,
      releaseId: release,
      processType: 'web',
      generation: 'g',
      state: 'ready',
      series: 0,
      ordinal: 0,
      routed: true,
      nodeId: running.nodeId,
      host: null,
      port: null,
      restarts: 0,
      retryAt: null,
      failureCode: null,
      failureMessage: null,
      createdAt: now,
      readyAt: now,
      updatedAt: now,
    });
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

  test('every route is listed here, and every listed one exists', () => {
    const known = akkerisRoutes(served.parts).map(({ method, path }) => `${method} ${path}`);
    assert.deepEqual(known.toSorted(), Object.keys(routes).toSorted());
    assert.equal(new Set(known).size, known.length, 'no route is there twice');
  });

  for (const [route, expected] of Object.entries(routes)) {
    test(route, async () => {
      try {
        await walk(route, expected);
      } finally {
        await tearDown();
      }
    });
  }

  async function walk(route: string, expected: Expected): Promise<void> {
    const [method = '', pattern = ''] = route.split(' ');
    const roles = {
      nobody: [undefined, expected.nobody ?? 401],
      stranger: [served.tokens.stranger, expected.stranger],
      member: [served.tokens.member, expected.member],
      admin: [served.tokens.admin, expected.admin ?? expected.member],
    } as const;
    for (const [role, [token, status]] of Object.entries(roles)) {
      const values = await setUp();
      const path = pattern.replace(/:(\w+)/g, (_whole, name: string) => values[name] ?? '');
      // A 205 with a body is nothing `fetch` takes; no case here expects one.
      const answer = await call(served.url, method, path, {
        ...(token === undefined ? {} : { as: `Bearer ${token}` }),
        ...(expected.body === undefined || method === 'GET' ? {} : { body: expected.body }),
      });
      assert.equal(answer.status, status, `${role}: ${answer.text}`);
      if (role === 'nobody' && status === 401) assert.equal(answer.text, '');
      if (role === 'stranger') assertNothingShown(answer.text, path, values);
      await tearDown();
    }
  }

  /** Neither in a list nor in a refusal: no id of the other team's things, but for the one that was asked for. */
  function assertNothingShown(text: string, path: string, values: Record<string, string>): void {
    for (const value of Object.values(values))
      if (isId(value) && !path.includes(value)) assert.ok(!text.includes(value), text);
  }
});
