/** Streams of logs and stats: tokens, what comes and what does not, readers that are slow, and readers that lose their rights. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, suite, type TestContext, test } from 'node:test';
import { WebSocket } from 'ws';
import { systemActor } from '../../../src/core/access/actor.ts';
import { Secret } from '../../../src/core/ports/secret.ts';
import { instanceUpgrades } from '../../../src/dialects/giantswarm/instances/instance-routes.ts';
import { systemClock, systemIds } from '../../../src/lib/clock.ts';
import { until } from '../../support/until.ts';
import { idsOf } from './running.ts';
import { type ServedSwarm, serveGiantSwarm } from './served.ts';
import { type AppShape, type Reply, type Swarm, swarmAt, unique } from './swarm.ts';

interface Stream {
  readonly socket: WebSocket;
  readonly messages: string[];
  /** The code that it closes with. */
  readonly closed: Promise<number>;
}

suite('streams', () => {
  const endings: (() => unknown)[] = [];
  let served: ServedSwarm;
  let member: Swarm;
  before(async () => {
    served = await serveGiantSwarm({ after: (work) => void endings.push(work as () => unknown) });
    member = swarmAt(`${served.url}/v1`, served.tokens.member);
  });
  after(async () => {
    for (const end of endings) await end();
  });

  /** An app of `acme` with so many seats. */
  async function newApp(seats = 1): Promise<{ id: string; ids: readonly [string, ...string[]]; path: string }> {
    const name = unique('app');
    const scaling = { min: seats, max: 10 };
    const component = { component_name: 'c', image: 'registry.example.com/acme/none', scaling_policy: scaling };
    const path = `/org/acme/env/dev/app/${name}`;
    const made = await member('POST', '/org/acme/env/dev/app/', {
      app_name: name,
      services: [{ service_name: 's', components: [component] }],
    });
    assert.equal(made.status, 200, made.text);
    const { data } = (await member('GET', `${path}/status`)).json;
    return { id: (await served.core.apps.get(systemActor, `${name}-dev`)).id, ids: idsOf(data as AppShape), path };
  }

  /** Lines of the seat `0-<ordinal>` of an app. */
  const log = (appId: string, texts: readonly string[], ordinal = 0): Promise<void> => {
    const place = { source: 'app' as const, process: 's/c', instance: systemIds.id(), seat: `0-${ordinal}` };
    return served.logs.append(
      `apps/${appId}`,
      texts.map((text) => ({ ...place, at: systemClock.now(), text })),
    );
  };

  async function tokenFor(kind: string, body: unknown, org = 'acme', swarm = member): Promise<string> {
    const reply = await swarm('POST', `/org/${org}/stream/${kind}`, body);
    assert.deepEqual([reply.status, reply.json.status_code], [200, 10000], reply.text);
    return reply.json.data as string;
  }

  function connect(t: TestContext, kind: string, token: string, org = 'acme'): Stream {
    const socket = new WebSocket(`${served.url.replace('http', 'ws')}/v1/org/${org}/stream/${kind}?p=${token}`);
    t.after(() => socket.terminate());
    const messages: string[] = [];
    socket.on('message', (data) => messages.push(String(data)));
    const closed = once(socket, 'close').then(([code]) => code as number);
    closed.catch(() => {});
    return { socket, messages, closed };
  }

  async function open(t: TestContext, kind: string, body: unknown): Promise<Stream> {
    const stream = connect(t, kind, await tokenFor(kind, body));
    await once(stream.socket, 'open');
    return stream;
  }

  /** The status that the handshake is refused with. */
  async function refusal(t: TestContext, kind: string, token: string, org = 'acme'): Promise<number> {
    const { socket } = connect(t, kind, token, org);
    const [error] = (await once(socket, 'error')) as [Error];
    return Number(/Unexpected server response: (\d+)/.exec(error.message)?.[1]);
  }

  const texts = ({ messages }: Stream): readonly string[] =>
    messages.map((line) => line.replace(/^.* UTC {4}- \w+ +- /, ''));

  test('log lines come one a message, from the token on, of the instances that were asked for', async (t) => {
    const app = await newApp(3);
    await log(app.id, ['too early']);
    await until('the clock has gone on', async () => new Promise((resolve) => setTimeout(() => resolve(true), 2)));
    const token = await tokenFor('logs', { instances: [app.ids[0], (app.ids[1] ?? '').slice(0, 6)] });
    await log(app.id, ['between']);
    const stream = connect(t, 'logs', token);
    await until('what was said between is there', () => stream.messages.length === 1);
    await log(app.id, ['other'], 2);
    await log(app.id, ['first', 'second'], 1);
    await log(app.id, ['third']);
    await until('all is there', () => stream.messages.length === 4);
    assert.deepEqual(texts(stream), ['between', 'first', 'second', 'third']);
    for (const line of stream.messages)
      assert.match(line, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} \+0000 UTC {4}- docker {2}- \w+$/);
  });

  test('without ids: all of the organization’s', async (t) => {
    const [one, two] = [await newApp(), await newApp()];
    for (const body of [undefined, {}, { instances: [] }, { instances: null }]) {
      const stream = await open(t, 'logs', body);
      await Promise.all([log(one.id, ['of one']), log(two.id, ['of two'])]);
      await until('both are there', () => stream.messages.length === 2);
      assert.deepEqual([...texts(stream)].sort(), ['of one', 'of two']);
      stream.socket.close();
    }
  });

  test('a single instance is followed without its neighbours', async (t) => {
    const app = await newApp(2);
    const stream = await open(t, 'logs', { instances: [app.ids[1]] });
    await log(app.id, ['neighbour']);
    await log(app.id, ['own'], 1);
    await until('its line is there', () => stream.messages.length > 0);
    assert.deepEqual(texts(stream), ['own']);
  });

  test('stats: one JSON object an instance and tick', async (t) => {
    const app = await newApp(2);
    const stream = await open(t, 'stats', { instances: [...app.ids], interval: 2 });
    await until('two ticks are there', () => stream.messages.length >= 4, 20_000);
    const shapes = stream.messages.map((text) => JSON.parse(text) as Record<string, unknown>);
    assert.deepEqual(
      shapes
        .slice(0, 2)
        .map(({ InstanceId }) => InstanceId)
        .sort(),
      [...app.ids].sort(),
    );
    const { InstanceId: _id, ComponentName, ...numbers } = shapes[0] ?? {};
    assert.match(String(ComponentName), /^app\w+\/s\/c$/);
    assert.deepEqual(Object.keys(numbers), [
      'MemoryUsageMb',
      'MemoryCapacityMb',
      'MemoryUsagePercent',
      'CpuUsagePercent',
    ]);
    assert.ok(Object.values(numbers).every((value) => typeof value === 'number'));
  });

  test('a token is good once, for a minute, for its own kind and organization', async (t) => {
    const app = await newApp();
    const body = { instances: [app.ids[0]] };
    const token = await tokenFor('logs', body);
    const first = connect(t, 'logs', token);
    await once(first.socket, 'open');
    assert.equal(await refusal(t, 'logs', token), 401, 'used before');
    assert.equal(await refusal(t, 'stats', await tokenFor('logs', body)), 401, 'of another kind');
    assert.equal(await refusal(t, 'logs', await tokenFor('logs', body), 'other'), 403, 'of another organization');
    for (const forged of ['', 'x', `${token.slice(0, -2)}AA`])
      assert.equal(await refusal(t, 'logs', forged), 401, forged);
    const [route] = instanceUpgrades({
      ...served.parts,
      clock: { ...systemClock, now: () => new Date(systemClock.now().getTime() + 61_000) },
    }).webSockets;
    const url = new URL(`http://x/?p=${await tokenFor('logs', body)}`);
    await assert.rejects(async () => route?.open({ raw: {} as never, url, params: { org: 'acme' } }), {
      kind: 'unauthenticated',
    });
  });

  test('who may ask, and for what', async () => {
    const app = await newApp();
    const ask = (body: unknown, org = 'acme', swarm = member): Promise<Reply> =>
      swarm('POST', `/org/${org}/stream/logs`, body);
    const code = async (reply: Promise<Reply>) => [(await reply).status, (await reply).json.status_code];
    const stranger = swarmAt(`${served.url}/v1`, served.tokens.stranger);
    assert.equal((await ask({}, 'acme', swarmAt(`${served.url}/v1`, null))).status, 401);
    assert.equal((await ask({}, 'acme', stranger)).status, 403);
    assert.equal((await ask({ instances: [app.ids[0]] }, 'other', stranger)).status, 404, 'another’s instance');
    assert.equal((await ask({ instances: ['zzzzzzzzzzzz'] })).status, 404);
    for (const wrong of [[], 'x', 5, { instances: 'x' }, { instances: [1] }, { instances: Array(101).fill('abc') }])
      assert.deepEqual(await code(ask(wrong)), [400, 10013], JSON.stringify(wrong));
    for (const interval of [1, 1.9, 0, -2, '2', 100_000])
      assert.deepEqual(
        await code(member('POST', '/org/acme/stream/stats', { interval })),
        [400, 10013],
        String(interval),
      );
  });

  test('a stream ends when its reader is no longer a member, and a token then opens none', async (t) => {
    const { core } = served;
    const name = unique('leaver');
    const { id } = await core.users.create(systemActor, {
      username: name,
      email: `${name}@x.test`,
      password: new Secret('long enough to be one'),
    });
    await core.teams.addMember(systemActor, 'acme', id);
    const { text } = await core.authenticator.issue({
      kind: 'session',
      name: 't',
      userId: id,
      teamId: null,
      lifetimeMs: null,
    });
    const leaver = swarmAt(`${served.url}/v1`, text.reveal());
    const app = await newApp();
    const body = { instances: [app.ids[0]] };
    const streams = await Promise.all(
      ['logs', 'stats'].map(async (kind) => {
        const stream = connect(t, kind, await tokenFor(kind, body, 'acme', leaver));
        await once(stream.socket, 'open');
        return stream;
      }),
    );
    const unused = await tokenFor('logs', body, 'acme', leaver);
    await core.teams.removeMember(systemActor, 'acme', id);
    assert.equal(await refusal(t, 'logs', unused), 403);
    assert.deepEqual(await Promise.all(streams.map(({ closed }) => closed)), [1008, 1008]);
  });

  test('a stream ends when nothing is left to tell of', async (t) => {
    const app = await newApp();
    const body = { instances: [app.ids[0]] };
    const streams = [await open(t, 'logs', body), await open(t, 'stats', body)];
    assert.equal((await member('DELETE', app.path)).status, 200);
    assert.deepEqual(await Promise.all(streams.map(({ closed }) => closed)), [1000, 1000]);
  });
});
