/** The other side of add-ons: a provider is registered by its manifest, called as the documents say, and calls back. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { suite, test } from 'node:test';
import scalingo from 'scalingo';
import type { ProviderCall, ProviderReply } from '../../support/addon-provider.ts';
import { until } from '../../support/until.ts';
import { addonSuite } from './addon-suite.ts';
import { basic, EMPTY_BASIC } from './served.ts';

const PASSWORD = 'samyoiHissowdOnHugyor';
const SALT = 'esidTavOnreboudWavwoad';

interface Outcome {
  readonly addon: { readonly id: string; readonly resource_id: string; readonly status: string };
  readonly message: string;
  readonly vars: readonly string[];
  readonly variables: readonly string[];
}
interface ProviderApp {
  readonly addon_provider_id: string;
  readonly id: string;
  readonly name: string;
  readonly plan: string;
  readonly owner_email: string;
  readonly config: Readonly<Record<string, string>>;
}

const pair = (user: string, password: string): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;

suite('providers', () => {
  const { get, as, person } = addonSuite();

  /** As the documents' example has it. */
  const manifest = (name: string, change: Readonly<Record<string, unknown>> = {}) => ({
    name,
    username: `${name.toLowerCase()}-user`,
    password: PASSWORD,
    sso_salt: SALT,
    logo_url: '//cdn.example.com/logo.png',
    short_description: 'A tool',
    description: '# A tool',
    config_vars: [`${name.toUpperCase()}_URL`, `${name.toUpperCase()}_KEY`],
    production: { base_url: get().provider.url, sso_url: 'https://dashboard.example.com/sso?from=here' },
    test: { base_url: 'http://localhost:3000/resources' },
    plans: [
      { name: 'free', display_name: 'Free tier', price: 0.0, description: 'Small' },
      { name: 'premium', display_name: 'Premium', price: 30.5, description: 'Large' },
    ],
    ...change,
  });
  const admin = () => as(basic(get().served.tokens.admin));

  /** Registers a service of this name and says how its provider answers. */
  async function registered(name: string, answer: (call: ProviderCall) => ProviderReply) {
    const reply = await admin()('POST', '/addon_providers', manifest(name));
    assert.equal(reply.status, 201, reply.text);
    const { provider } = get();
    provider.calls.length = 0;
    provider.answer = answer;
    const id = name.toLowerCase();
    return { id, calls: provider.calls, asProvider: as(pair(`${id}-user`, PASSWORD)) };
  }

  const config = (name: string, value = 'one'): Record<string, string> => ({
    [`${name}_URL`]: `tool://${value}`,
    [`${name}_KEY`]: 'key',
    OTHER: 'not in the manifest',
  });

  test('an administrator registers it; its secrets never come out again', async () => {
    const { provider } = get();
    const stranger = await person();
    const body = manifest('Listed');
    assert.equal((await stranger.send('POST', '/addon_providers', body)).status, 403);
    assert.equal((await as(undefined)('POST', '/addon_providers', body)).status, 401);
    const made = await admin()('POST', '/addon_providers', { addon_provider: body });
    assert.equal(made.status, 201, made.text);
    const seen = await as(undefined)('GET', '/addon_providers/listed');
    assert.deepEqual(seen.json(), made.json());
    const shown = seen.json<{ addon_provider: Record<string, unknown> }>().addon_provider;
    assert.deepEqual(
      [shown.id, shown.name, shown.logo_url, shown.short_description],
      ['listed', 'Listed', '//cdn.example.com/logo.png', 'A tool'],
    );
    assert.deepEqual(
      (shown.plans as readonly { name: string; display_name: string; price: number }[]).map(
        ({ name, display_name, price }) => [name, display_name, price],
      ),
      [
        ['free', 'Free tier', 0],
        ['premium', 'Premium', 30.5],
      ],
    );
    for (const text of [made.text, (await as(undefined)('GET', '/addon_providers')).text])
      for (const secret of [PASSWORD, SALT, provider.url]) assert.ok(!text.includes(secret));

    const again = await admin()('POST', '/addon_providers', body);
    assert.equal(again.status, 422, again.text);
    for (const [change, field] of [
      [{ name: '' }, 'name'],
      [{ password: undefined }, 'password'],
      [{ password: 'short' }, 'password'],
      [{ sso_salt: '' }, 'sso_salt'],
      [{ production: undefined }, 'production'],
      [{ production: { base_url: 'ftp://x' } }, 'base_url'],
      [{ config_vars: [] }, 'config_vars'],
      [{ plans: [] }, 'plans'],
      [{ plans: [{ name: 'x', price: -1 }] }, 'price'],
    ] as const) {
      const refused = await admin()('POST', '/addon_providers', manifest('Wrong', change));
      assert.equal(refused.status, 422, `${field}: ${refused.text}`);
      assert.deepEqual(Object.keys(refused.json<{ errors: object }>().errors), [field]);
    }
    const other = manifest('Listed', { short_description: 'A better tool' });
    const replaced = await admin()('PUT', '/addon_providers/listed', other);
    assert.equal(
      replaced.json<{ addon_provider: { short_description: string } }>().addon_provider.short_description,
      'A better tool',
    );
    assert.equal((await admin()('DELETE', '/addon_providers/listed')).status, 204);
    assert.equal((await as(undefined)('GET', '/addon_providers/listed')).status, 404);
    // Heroku's form, with a name of its own.
    const { username, password, sso_salt, config_vars, production, ...rest } = manifest('Nested');
    const nested = { ...rest, id: 'of-heroku', api: { password, sso_salt, config_vars, production, user: username } };
    assert.equal((await admin()('POST', '/addon_providers', nested)).status, 201);
    assert.equal((await admin()('DELETE', '/addon_providers/of-heroku')).status, 204);
  });

  test('it is called as documented: made, changed, removed; its words and variables reach the caller', async () => {
    const { id, calls } = await registered('Tool', ({ method }) =>
      method === 'POST'
        ? { status: 201, body: { id: 'res/1 ü', config: config('TOOL'), message: 'welcome' } }
        : method === 'PUT'
          ? { status: 200, body: { message: 'larger', config: config('TOOL', 'two') } }
          : { status: 204 },
    );
    const owner = await person();
    const { path, uuid } = await owner.app('tool-app');
    const options = { version: '9', size: 3 };
    const added = await owner.send('POST', `${path}/addons`, {
      addon: { addon_provider_id: id, plan_id: 'free', options },
    });
    assert.equal(added.status, 201, added.text);
    const { addon, ...outcome } = added.json<Outcome>();
    const names = ['TOOL_KEY', 'TOOL_URL'];
    assert.deepEqual([addon.resource_id, addon.status, outcome.message], ['res/1 ü', 'running', 'welcome']);
    assert.deepEqual([outcome.variables.toSorted(), outcome.vars.toSorted()], [names, names]);
    const authorization = pair('tool-user', PASSWORD);
    assert.deepEqual(
      calls.map(({ key, ...call }) => call),
      [
        {
          method: 'POST',
          path: '/resources',
          authorization,
          body: { plan: 'free', app_id: uuid, options: { version: '9', size: '3' } },
        },
      ],
    );
    const changed = await owner.done('PATCH', `${path}/addons/${addon.id}`, { addon: { plan_id: 'premium' } });
    const after = changed.json<Outcome>();
    assert.deepEqual([after.message, after.vars.toSorted(), after.variables.toSorted()], ['larger', names, names]);
    const { variables } = (await owner.done('GET', `${path}/variables`)).json<{
      variables: readonly { name: string; value: string }[];
    }>();
    assert.deepEqual(
      variables.map(({ name, value }) => [name, value]),
      [
        ['TOOL_KEY', 'key'],
        ['TOOL_URL', 'tool://two'],
      ],
    );
    assert.equal((await owner.send('DELETE', `${path}/addons/${addon.id}`)).status, 204);
    assert.deepEqual(
      calls.slice(1).map(({ method, path: at, body, authorization: by }) => [method, at, body, by]),
      [
        ['PUT', '/resources/res%2F1%20%C3%BC', { plan: 'premium' }, authorization],
        ['DELETE', '/resources/res%2F1%20%C3%BC', {}, authorization],
      ],
    );
  });

  test('people are sent to it with a token that it can check', async () => {
    const { id } = await registered('Door', ({ method }) =>
      method === 'POST'
        ? { status: 200, body: { id: 'door-1', config_vars: { DOOR_URL: 'x', DOOR_KEY: 'y' } } }
        : { status: 204 },
    );
    const owner = await person();
    const { path } = await owner.app('door-app');
    const body = { addon: { addon_provider_id: id, plan_id: 'free' } };
    const { addon, variables } = (await owner.done('POST', `${path}/addons`, body)).json<Outcome>();
    assert.deepEqual(variables.toSorted(), ['DOOR_KEY', 'DOOR_URL']);
    const apiUrl = get().served.url;
    const client = await scalingo.clientFromToken(owner.token, { apiUrl, authApiUrl: apiUrl, billingApiUrl: apiUrl });
    const fromClient = (await client.Addons.sso('door-app', addon.id)) as unknown as { sso_url: string };
    const answer = (await owner.done('POST', `${path}/addons/${addon.id}/sso`)).json<{
      addon: { sso_url: string; resource_id: string };
      sso_url: string;
    }>();
    assert.equal(answer.addon.resource_id, 'door-1');
    assert.equal(answer.addon.sso_url, answer.sso_url);
    for (const text of [answer.sso_url, fromClient.sso_url]) {
      const url = new URL(text);
      assert.equal(`${url.origin}${url.pathname}`, 'https://dashboard.example.com/sso');
      const { from, id: resource, timestamp = '', token } = Object.fromEntries(url.searchParams);
      assert.deepEqual([from, resource], ['here', 'door-1']);
      assert.ok(Math.abs(Number(timestamp) - Date.now() / 1_000) < 60);
      assert.equal(token, createHash('sha1').update(`door-1:${SALT}:${timestamp}`).digest('hex'));
    }
  });

  test('it calls back: lists its apps by pages, reads one, changes its variables; the app says who restarted it', async () => {
    const { id, asProvider } = await registered('Back', ({ method, body }) =>
      method === 'POST'
        ? { status: 201, body: { id: `back-${String(body.app_id).slice(0, 8)}`, config: config('BACK') } }
        : { status: 204 },
    );
    const owner = await person();
    const apps = [await owner.app('back-one'), await owner.app('back-two'), await owner.app('back-three')];
    for (const { path } of apps)
      await owner.done('POST', `${path}/addons`, { addon: { addon_provider_id: id, plan_id: 'premium' } });
    const first = (await asProvider('GET', '/provider/apps?per_page=2')).json<{
      apps: readonly { app_id: string }[];
      meta: { pagination: { total_count: number; next_page: number | null } };
    }>();
    const second = (await asProvider('GET', '/provider/apps?per_page=2&page=2')).json<typeof first>();
    assert.deepEqual(
      [first.apps.length, first.meta.pagination.total_count, first.meta.pagination.next_page, second.apps.length],
      [2, 3, 2, 1],
    );
    assert.deepEqual(
      [...first.apps, ...second.apps].map(({ app_id }) => app_id).toSorted(),
      apps.map(({ uuid }) => uuid).toSorted(),
    );
    const { uuid = '', path = '' } = apps[0] ?? {};
    const one = (await asProvider('GET', `/provider/apps/${uuid}`)).json<{ app: ProviderApp }>().app;
    assert.deepEqual(
      [one.addon_provider_id, one.id, one.name, one.owner_email, one.plan, one.config],
      [id, uuid, 'back-one', owner.email, 'premium', { BACK_URL: 'tool://one', BACK_KEY: 'key' }],
    );

    const readVariable = async (name: string): Promise<string | undefined> =>
      (await owner.done('GET', `${path}/variables`))
        .json<{ variables: readonly { name: string; value: string }[] }>()
        .variables.find((variable) => variable.name === name)?.value;
    for (const [body, value] of [
      [{ config: { BACK_URL: 'tool://a' } }, 'tool://a'],
      [{ config_vars: { BACK_URL: 'tool://b' } }, 'tool://b'],
      [{ app: { config: { BACK_URL: 'tool://c' } } }, 'tool://c'],
    ] as const) {
      const changed = await asProvider('PATCH', `/provider/apps/${uuid}`, body);
      assert.equal(changed.status, 200, changed.text);
      assert.equal(changed.json<{ app: ProviderApp }>().app.config.BACK_URL, value);
      assert.equal(await readVariable('BACK_URL'), value);
      assert.equal(await readVariable('BACK_KEY'), 'key', 'what is not named stays');
    }
    const unknown = await asProvider('PATCH', `/provider/apps/${uuid}`, { config: { DATABASE_URL: 'x' } });
    assert.equal(unknown.status, 422, 'only what the manifest names');
    assert.equal((await asProvider('PATCH', `/provider/apps/${uuid}`, {})).status, 422);
    assert.equal((await asProvider('PATCH', `/provider/apps/${uuid}`, { config: { BACK_URL: {} } })).status, 422);

    const [event] = (await owner.done('GET', `${path}/events`)).json<{
      events: readonly { type: string; type_data: Record<string, unknown>; user: unknown }[];
    }>().events;
    assert.equal(event?.type, 'edit_variables');
    assert.deepEqual(event?.user, null);
    assert.match(String(event?.type_data.addon_name), /^back-/);
    assert.deepEqual(event?.type_data.updated_vars, [{ name: 'BACK_URL', value: '[hidden]', old_value: '[hidden]' }]);
  });

  test('a provider sees its own only, and nobody else is one', async () => {
    const answer = ({ method }: ProviderCall): ProviderReply =>
      method === 'POST'
        ? { status: 201, body: { id: 'own-1', config: { OWN_URL: 'x', OWN_KEY: 'y', ALIEN_URL: 'x', ALIEN_KEY: 'y' } } }
        : { status: 204 };
    const own = await registered('Own', answer);
    const alien = await registered('Alien', answer);
    const owner = await person();
    const { path, uuid } = await owner.app('owned-app');
    await owner.done('POST', `${path}/addons`, { addon: { addon_provider_id: own.id, plan_id: 'free' } });
    assert.equal((await own.asProvider('GET', `/provider/apps/${uuid}`)).status, 200);
    for (const reference of [uuid, 'own-1', 'owned-app']) {
      const hidden = await alien.asProvider('GET', `/provider/apps/${reference}`);
      assert.deepEqual([hidden.status, hidden.json()], [404, { resource: 'app', error: 'not found' }]);
    }
    assert.equal(
      (await alien.asProvider('PATCH', `/provider/apps/${uuid}`, { config: { ALIEN_URL: 'z' } })).status,
      404,
    );
    assert.deepEqual((await alien.asProvider('GET', '/provider/apps')).json<{ apps: unknown[] }>().apps, []);
    for (const authorization of [
      undefined,
      EMPTY_BASIC,
      basic(owner.token),
      `Bearer ${owner.token}`,
      pair('own-user', 'a wrong password'),
      pair('nobody', PASSWORD),
    ]) {
      const refused = await as(authorization)('GET', '/provider/apps');
      assert.equal(refused.status, 401, refused.text);
      assert.equal(typeof refused.json<{ error: string }>().error, 'string');
    }
    // Nor does what a provider has open anything else.
    assert.equal((await own.asProvider('GET', '/apps')).status, 401);
    assert.equal((await own.asProvider('GET', `/apps/${uuid}`)).status, 401);
  });

  test('a refusal is 503 with the provider’s words, and nothing stays', async () => {
    const { id } = await registered('Grumpy', ({ method, body }) =>
      method === 'POST' && body.plan === 'free'
        ? { status: 201, body: { id: 'grumpy-1', config: config('GRUMPY') } }
        : method === 'DELETE'
          ? { status: 204 }
          : { status: 422, body: { message: 'no more of this plan' } },
    );
    const owner = await person();
    const { path } = await owner.app('grumpy-app');
    const refused = await owner.send('POST', `${path}/addons`, {
      addon: { addon_provider_id: id, plan_id: 'premium' },
    });
    assert.equal(refused.status, 503, refused.text);
    assert.match(refused.json<{ error: string }>().error, /no more of this plan/);
    await until(
      'nothing of it is left',
      async () => (await owner.done('GET', `${path}/addons`)).json<{ addons: unknown[] }>().addons.length === 0,
    );
    const body = { addon: { addon_provider_id: id, plan_id: 'free' } };
    const { addon } = (await owner.done('POST', `${path}/addons`, body)).json<Outcome>();
    const kept = await owner.send('PATCH', `${path}/addons/${addon.id}`, { addon: { plan_id: 'premium' } });
    assert.equal(kept.status, 503);
    const { addon: still } = (await owner.done('GET', `${path}/addons/${addon.id}`)).json<{
      addon: { status: string; plan: { name: string } };
    }>();
    assert.deepEqual([still.status, still.plan.name], ['running', 'free']);
  });

  test('one that is accepted for later is told as that, and runs when its provider has given the variables', async () => {
    const { id, asProvider } = await registered('Slow', ({ method }) =>
      method === 'POST' ? { status: 202, body: { id: 'slow-1' } } : { status: 204 },
    );
    const owner = await person();
    const { path, uuid } = await owner.app('slow-app');
    const added = await owner.send('POST', `${path}/addons`, { addon: { addon_provider_id: id, plan_id: 'free' } });
    assert.equal(added.status, 201, added.text);
    const { addon, message, variables } = added.json<Outcome>();
    assert.deepEqual([addon.status, variables], ['provisioning', []]);
    assert.match(message, /being provisioned/);
    const given = await asProvider('PATCH', `/provider/apps/${uuid}`, { config: { SLOW_URL: 'x', SLOW_KEY: 'y' } });
    assert.equal(given.status, 200, given.text);
    await until('it runs', async () => {
      const shown = (await owner.done('GET', `${path}/addons/${addon.id}`)).json<{ addon: { status: string } }>();
      return shown.addon.status === 'running';
    });
    await until('the app has its variables', async () => {
      const shown = await owner.done('GET', `${path}/variables`);
      return shown.json<{ variables: unknown[] }>().variables.length === 2;
    });
  });
});
