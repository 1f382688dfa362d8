// test-timeout: 180
/** The lines of an instance: whose they are, their form, how many, and what is left of those that crashed. */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { systemClock, systemIds } from '../../../src/lib/clock.ts';
import { startPlatform, type TestPlatform } from '../../support/platform.ts';
import { until } from '../../support/until.ts';
import { idsOf, type RunningApp, runApp } from './running.ts';
import { type ServedSwarm, serveGiantSwarm } from './served.ts';
import { type AppShape, appIs, type Reply, type Swarm, swarmAt, swarmOf, unique, visit } from './swarm.ts';

const form = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} \+0000 UTC {4}- (?:docker {2}|berth {3})- .*$/;
const lines = (text: string): readonly string[] => text.split('\n').slice(0, -1);
const messages = (text: string): readonly string[] =>
  lines(text).map((line) => line.replace(/^.* UTC {4}- \w+ +- /, ''));

suite('logs of what runs', () => {
  const endings: (() => Promise<void>)[] = [];
  let platform: TestPlatform;
  let swarm: Swarm;
  let app: RunningApp;
  const domain = `${unique('logs-')}.gigantic.io`;
  before(async () => {
    platform = await startPlatform({ after: (work: () => Promise<void>) => void endings.push(work) });
    swarm = swarmOf(platform, platform.token);
    app = await runApp(
      platform,
      swarm,
      {
        Procfile: 'web: node talk.js\n',
        'package.json': '{}',
        'talk.js': `const id = process.env.BERTH_INSTANCE;
console.log('begin ' + id);
require('http').createServer((request, response) => {
  console.log('asked ' + id + ' ' + request.url);
  response.end(id);
  if (request.url === '/crash') setImmediate(() => process.exit(3));
}).listen(process.env.PORT);
`,
      },
      2,
      { ports: [8000], domains: { [domain]: 8000 } },
    );
  });
  after(async () => {
    for (const end of endings) await end();
  });

  const logs = (id: string, query = '?t=all'): Promise<Reply> => swarm('GET', `/org/main/instance/${id}/logs${query}`);

  test('each instance has its own lines, and no one else’s', async () => {
    const texts = await Promise.all(
      app.ids.map((id) =>
        until(`${id} has begun`, async () => {
          const { status, type, text } = await logs(id);
          assert.deepEqual([status, type], [200, 'text/plain; charset=utf-8']);
          return text === '' ? null : text;
        }),
      ),
    );
    for (const text of texts) {
      for (const line of lines(text)) assert.match(line, form);
      assert.equal(lines(text).length, 1);
      assert.match(messages(text)[0] ?? '', /^begin /);
    }
    assert.notEqual(messages(texts[0] ?? '')[0], messages(texts[1] ?? '')[0]);
  });

  test('a seat keeps its lines over a crash, which is told, and over stop and start', async () => {
    const { body: crashed } = await visit(platform, domain, '/crash');
    const id = await until('one of them has crashed', async () => {
      for (const one of app.ids) if (/desc="crashed: exited with status 3"/.test((await logs(one)).text)) return one;
      return null;
    });
    const after = await until('it has begun anew', async () => {
      const said = messages((await logs(id)).text);
      return said.filter((message) => message.startsWith('begin ')).length === 2 ? said : null;
    });
    assert.deepEqual(after.slice(0, 2), [`begin ${crashed}`, `asked ${crashed} /crash`]);
    assert.match(after.find((message) => message.includes('code=H10')) ?? '', /crashed: exited with status 3/);
    assert.ok(lines((await logs(id)).text).some((line) => / UTC {4}- berth {3}- at=error/.test(line)));
    const other = app.ids.find((one) => one !== id) ?? '';
    assert.doesNotMatch((await logs(other)).text, /crash/);

    await swarm('POST', `${app.path}/stop`);
    const down = await appIs(swarm, app.path, 'down');
    assert.deepEqual(idsOf(down), app.ids);
    assert.deepEqual(messages((await logs(id)).text).slice(0, 2), after.slice(0, 2));
  });

  test('an app that has never run has an empty log', async () => {
    const name = `${app.name}-new`;
    const definition = {
      app_name: name,
      services: [{ service_name: 's', components: [{ component_name: 'c', image: 'registry.example.com/main/none' }] }],
    };
    assert.equal((await swarm('POST', '/org/main/env/dev/app/', definition)).status, 200);
    const status = (await swarm('GET', `/org/main/env/dev/app/${name}/status`)).json.data as AppShape;
    const reply = await logs(idsOf(status)[0], '');
    assert.deepEqual([reply.status, reply.text], [200, '']);
  });
});

suite('how many lines', () => {
  const endings: (() => unknown)[] = [];
  let served: ServedSwarm;
  let id = '';
  let appId = '';
  before(async () => {
    served = await serveGiantSwarm({ after: (work) => void endings.push(work as () => unknown) });
    const { core, tokens } = served;
    const component = { component_name: 'component', image: 'registry.example.com/acme/none' };
    const definition = { app_name: 'chatty', services: [{ service_name: 'service', components: [component] }] };
    const made = await as(tokens.member)('POST', '/org/acme/env/dev/app/', definition);
    assert.equal(made.status, 200, made.text);
    const { json } = await as(tokens.member)('GET', '/org/acme/env/dev/app/chatty/status');
    id = idsOf(json.data as AppShape)[0];
    appId = (await core.apps.get(await core.authenticator.byToken(tokens.member), 'chatty-dev')).id;
    const line = { source: 'app' as const, process: 'service/component', instance: systemIds.id(), seat: '0-0' };
    for (let number = 1; number <= 3_000; number += 1)
      await served.logs.append(`apps/${appId}`, [
        { ...line, at: systemClock.now(), text: `line ${number}` },
        { ...line, at: systemClock.now(), seat: '0-1', text: 'of another seat' },
        { ...line, at: systemClock.now(), process: 'worker', text: 'of another process' },
        { ...line, at: systemClock.now(), source: 'router', seat: '', text: 'of the router' },
      ]);
  });
  after(async () => {
    for (const end of endings) await end();
  });
  const as = (token: string | null): Swarm => swarmAt(`${served.url}/v1`, token);
  const logs = (
    query: string,
    org = 'acme',
    instance = id,
    token: string | null = served.tokens.member,
  ): Promise<Reply> => as(token)('GET', `/org/${org}/instance/${instance}/logs${query}`);

  test('ten, so many, or all', async () => {
    for (const [query, count] of [
      ['', 10],
      ['?t=1', 1],
      ['?t=25', 25],
      ['?t=0', 0],
      ['?t=all', 3_000],
      ['?t=999999', 3_000],
    ] as const) {
      const said = messages((await logs(query)).text);
      assert.deepEqual([said.length, said.at(-1)], [count, count === 0 ? undefined : 'line 3000'], query);
      assert.deepEqual(
        [...said].sort((a, b) => Number(a.slice(5)) - Number(b.slice(5))),
        said,
        'in order',
      );
    }
    for (const query of ['?t=x', '?t=-1', '?t=1.5', '?t=1&t=2'])
      assert.deepEqual([(await logs(query)).status, (await logs(query)).json.status_code], [400, 10013], query);
  });

  test('whose instance it is', async () => {
    assert.equal((await logs('', 'acme', id, null)).status, 401);
    for (const [org, token] of [
      ['acme', served.tokens.stranger],
      ['nobodys', served.tokens.member],
    ] as const) {
      const reply = await logs('', org, id, token);
      assert.deepEqual([reply.status, reply.text], [403, 'forbidden\n'], org);
    }
    for (const instance of ['zzzzzzzzzzzz', 'UPPER', 'a', `${id}x`, '-', '%2e%2e'])
      assert.deepEqual((await logs('', 'acme', instance)).status, 404, instance);
    assert.equal((await logs('', 'other', id, served.tokens.stranger)).status, 404, 'not in another organization');
    assert.equal(lines((await logs('?t=1', 'acme', id.slice(0, 4))).text).length, 1, 'the beginning of an id');
  });
});
