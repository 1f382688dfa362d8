/** A whole platform under the Scalingo API: what its answers say is what really runs, also when another API works on the same app. */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { deploy } from '../../support/deploy.ts';
import { startPlatform, type TestPlatform } from '../../support/platform.ts';
import { ask } from '../../support/request.ts';
import { type Answer, call } from '../../support/served.ts';
import { until } from '../../support/until.ts';
import { basic } from './served.ts';

const NAME = 'running-app';

/** Says its variable GREETING and its instance; `/crash` ends it. The worker only waits. */
const source = {
  Procfile: 'web: node server.js\nworker: node worker.js\n',
  'package.json': '{"name":"running","private":true}',
  'server.js': `require('http').createServer((request, response) => {
  if (request.url === '/crash') process.exit(1);
  response.end(JSON.stringify({ greeting: process.env.GREETING ?? null, instance: process.env.BERTH_INSTANCE }));
}).listen(process.env.PORT);
`,
  'worker.js': 'setInterval(() => {}, 1000);\n',
};

interface Container {
  readonly id: string;
  readonly label: string;
  readonly type: string;
  readonly state: string;
  readonly container_size: { readonly name: string };
}

suite('running', { concurrency: false }, () => {
  const endings: (() => Promise<void>)[] = [];
  let platform: TestPlatform;
  before(async () => {
    platform = await startPlatform({ after: (work: () => Promise<void>) => void endings.push(work) });
  });
  after(async () => {
    for (const end of endings) await end();
  });

  const url = (): string => `http://127.0.0.1:${platform.port + 4}`;
  const send = (method: string, path: string, body?: unknown): Promise<Answer> =>
    call(url(), method, `/v1${path}`, { as: basic(platform.token), ...(body === undefined ? {} : { body }) });
  const app = `/apps/${NAME}`;
  const statusOf = async (): Promise<string> => (await send('GET', app)).json<{ app: { status: string } }>().app.status;
  const ps = async (): Promise<readonly Container[]> =>
    (await send('GET', `${app}/ps`)).json<{ containers: readonly Container[] }>().containers;

  /** Follows the operation's absolute address to its end, as clients do; gives the statuses it had. */
  async function follow(answer: Answer): Promise<readonly string[]> {
    assert.equal(answer.status, 202, answer.text);
    const location = answer.headers.get('location') ?? '';
    const seen: string[] = [];
    await until(
      'the operation ends',
      async () => {
        const response = await call('', 'GET', location, { as: basic(platform.token) });
        const { status } = response.json<{ operation: { status: string } }>().operation;
        if (seen.at(-1) !== status) seen.push(status);
        return status === 'done' || status === 'error';
      },
      60_000,
      20,
    );
    return seen;
  }
  const untilStatus = (status: string): Promise<unknown> =>
    until(`the app is ${status}`, async () => (await statusOf()) === status, 60_000, 50);
  const asked = async (host = NAME): Promise<{ greeting: string | null; instance: string }> =>
    JSON.parse((await ask(platform, host)).body) as { greeting: string | null; instance: string };

  test('an app that is deployed boots and runs', async () => {
    const made = await send('POST', '/apps', { app: { name: NAME } });
    assert.equal(made.status, 201, made.text);
    assert.equal(await statusOf(), 'new');
    const greeting = { name: 'GREETING', value: 'schöne "Grüße"\n$HOME 🚢' };
    assert.equal((await send('PUT', `${app}/variables`, { variables: [greeting] })).status, 200);
    await deploy(platform, `${app}-default`, source);
    await untilStatus('running');
    const shown = (await send('GET', app)).json<{ app: Record<string, unknown> }>().app;
    assert.ok(Date.parse(String(shown.last_deployed_at)) >= Date.parse(String(shown.created_at)));
    assert.equal(shown.last_deployed_by, 'admin');
    assert.equal((await asked()).greeting, greeting.value);
    assert.deepEqual(
      (await ps()).map(({ label, state, container_size }) => [label, state, container_size.name]),
      [['web-1', 'running', 'M']],
    );
  });

  test('scaling moves its operation to done when just so many containers of the size run', async () => {
    const answer = await send('POST', `${app}/scale`, {
      containers: [
        { name: 'web', amount: 2, size: 'S' },
        { name: 'worker', amount: 1 },
      ],
    });
    assert.equal((await follow(answer)).at(-1), 'done');
    const settled = (await ps()).filter(({ state }) => state === 'running');
    assert.deepEqual(
      settled.map(({ label, container_size }) => [label, container_size.name]),
      [
        ['web-1', 'S'],
        ['web-2', 'S'],
        ['worker-1', 'M'],
      ],
    );
    assert.equal(await statusOf(), 'running');
  });

  test('a restart replaces what its scope names and nothing else', async () => {
    const running = async (): Promise<Map<string, string>> =>
      new Map((await ps()).filter(({ state }) => state === 'running').map(({ label, id }) => [label, id]));
    const start = await running();
    assert.equal((await follow(await send('POST', `${app}/restart`, { scope: ['web-2', 'worker'] }))).at(-1), 'done');
    const partly = await running();
    assert.equal(partly.size, 3);
    const kept = [...partly.values()].filter((id) => [...start.values()].includes(id));
    assert.deepEqual(kept, [start.get('web-1')]);
    assert.equal((await follow(await send('POST', `${app}/restart`, { scope: null }))).at(-1), 'done');
    const whole = [...(await running()).values()];
    assert.equal(whole.length, 3);
    assert.ok(whole.every((id) => ![...partly.values(), ...start.values()].includes(id)));
  });

  test('what another API does shows here', async () => {
    await platform.akkeris.patch(`${app}-default/formation`, [{ type: 'worker', quantity: 0 }]);
    await until('the worker is gone', async () => (await ps()).every(({ type }) => type === 'web'));
    const { containers } = (await send('GET', `${app}/containers`)).json<{
      containers: { name: string; amount: number }[];
    }>();
    assert.deepEqual(
      containers.map(({ name, amount }) => [name, amount]),
      [
        ['web', 2],
        ['worker', 0],
      ],
    );
    await platform.akkeris.patch(`${app}-default/config-vars`, { GREETING: 'from elsewhere' });
    const list = (await send('GET', `${app}/variables`)).json<{ variables: { name: string; value: string }[] }>();
    assert.equal(list.variables.find(({ name }) => name === 'GREETING')?.value, 'from elsewhere');
    await until('the processes know', async () => (await asked()).greeting === 'from elsewhere', 60_000);
  });

  test('a domain leads to the app at once', async () => {
    const host = 'www.running.example';
    const added = await send('POST', `${app}/domains`, { domain: { name: host } });
    assert.equal(added.status, 201, added.text);
    const { id } = added.json<{ domain: { id: string } }>().domain;
    const reached = async (): Promise<number> => (await ask({ ...platform, hostOf: () => host }, NAME)).status;
    await until('the domain leads to the app', async () => (await reached()) === 200);
    assert.equal((await send('DELETE', `${app}/domains/${id}`)).status, 204);
    await until('the domain leads nowhere', async () => (await reached()) === 404);
  });

  test('nothing wanted is stopped; what ends by itself is crashed', async () => {
    assert.equal(
      (await follow(await send('POST', `${app}/scale`, { containers: [{ name: 'web', amount: 0 }] }))).at(-1),
      'done',
    );
    assert.equal(await statusOf(), 'stopped');
    await until('nothing is left', async () => (await ps()).length === 0);
    assert.equal(
      (await follow(await send('POST', `${app}/scale`, { containers: [{ name: 'web', amount: 1 }] }))).at(-1),
      'done',
    );
    assert.equal(await statusOf(), 'running');
    await until('the app is crashed', async () => {
      if ((await statusOf()) === 'crashed') return true;
      await ask(platform, NAME, '/crash').catch(() => null);
      return false;
    });
    await untilStatus('running');
  });

  test('a renamed app answers under its new name, a destroyed one nowhere', async () => {
    const renamed = await send('POST', `${app}/rename`, { current_name: NAME, new_name: 'renamed-app' });
    assert.equal(renamed.status, 200, renamed.text);
    await until('the new name leads to the app', async () => (await ask(platform, 'renamed-app')).status === 200);
    await until('the old name leads nowhere', async () => (await ask(platform, NAME)).status === 404);
    assert.equal((await send('DELETE', '/apps/renamed-app?current_name=renamed-app')).status, 204);
    assert.equal((await send('GET', '/apps/renamed-app')).status, 404);
    await until('it answers no more', async () => (await ask(platform, 'renamed-app')).status === 404);
  });
});
