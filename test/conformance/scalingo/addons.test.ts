/** The catalogue, and databases as add-ons: added, found by their variables, upgraded, over their plan, removed. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import pg from 'pg';
import scalingo from 'scalingo';
import { addonSuite } from './addon-suite.ts';
import { EMPTY_BASIC } from './served.ts';

interface Plan {
  readonly id: string;
  readonly name: string;
  readonly display_name: string;
  readonly price: number;
  readonly description: string;
}
interface Provider {
  readonly id: string;
  readonly name: string;
  readonly logo_url: string;
  readonly category: { readonly id: string; readonly name: string };
  readonly plans: readonly Plan[];
}
interface Addon {
  readonly id: string;
  readonly app_id: string;
  readonly resource_id: string;
  readonly status: string;
  readonly plan: Plan;
  readonly addon_provider: Pick<Provider, 'id' | 'name' | 'logo_url'>;
  readonly provisioned_at: string;
  readonly deprovisioned_at: null;
}
interface Outcome {
  readonly addon: Addon;
  readonly message: string;
  readonly vars: readonly string[];
  readonly variables: readonly string[];
}
interface Variable {
  readonly name: string;
  readonly value: string;
}

const NAMES = ['DATABASE_URL', 'SCALINGO_POSTGRESQL_URL'];

suite('add-ons', () => {
  const { get, as, person } = addonSuite();

  const plansOf = async (): Promise<readonly Plan[]> =>
    (await as(EMPTY_BASIC)('GET', '/addon_providers/postgresql/plans')).json<{ plans: readonly Plan[] }>().plans;
  const planId = async (name: string): Promise<string> =>
    (await plansOf()).find((plan) => plan.name === name)?.id ?? '';

  async function query<T extends pg.QueryResultRow>(url: string, sql: string): Promise<readonly T[]> {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      return (await client.query<T>(sql)).rows;
    } finally {
      await client.end();
    }
  }

  test('the catalogue is public, also for an empty credential, and by category', async () => {
    for (const send of [as(undefined), as(EMPTY_BASIC), (await person()).send]) {
      const answer = await send('GET', '/addon_providers');
      assert.equal(answer.status, 200, answer.text);
      const [provider] = answer.json<{ addon_providers: readonly Provider[] }>().addon_providers;
      assert.deepEqual([provider?.id, provider?.name, provider?.logo_url], ['postgresql', 'PostgreSQL', '']);
      assert.deepEqual(
        provider?.plans.map(({ name, price }) => [name, price]),
        [
          ['free', 0],
          ['standard-0', 5],
          ['standard-1', 20],
          ['standard-2', 80],
        ],
      );
    }
    const plans = await plansOf();
    for (const plan of plans) {
      assert.match(plan.id, /^[0-9a-f]{24}$/);
      assert.ok(plan.display_name !== '' && plan.description !== '');
    }
    const { addon_categories: categories } = (await as(undefined)('GET', '/addon_categories')).json<{
      addon_categories: readonly { id: string; name: string }[];
    }>();
    assert.deepEqual(
      categories.map(({ name }) => name),
      ['Database'],
    );
    const of = async (category: string): Promise<number> =>
      (await as(undefined)('GET', `/addon_providers?category_id=${category}`)).json<{ addon_providers: unknown[] }>()
        .addon_providers.length;
    assert.deepEqual([await of(categories[0]?.id ?? ''), await of('ab'.repeat(12)), await of('')], [1, 0, 1]);
    const missing = await as(undefined)('GET', '/addon_providers/nothing/plans');
    assert.deepEqual([missing.status, missing.json()], [404, { resource: 'addon_provider', error: 'not found' }]);
  });

  test('a database: its variables lead to it under both names; upgraded, and gone with its data', async () => {
    const owner = await person();
    const { path, id: appId } = await owner.app('with-database');
    // As the older clients send it: a whole struct.
    const addon = {
      id: '',
      resource_id: '',
      plan_id: await planId('free'),
      addon_provider_id: 'postgresql',
      plan: null,
      addon_provider: null,
    };
    const added = await owner.send('POST', `${path}/addons`, { addon });
    assert.equal(added.status, 201, added.text);
    const outcome = added.json<Outcome>();
    assert.deepEqual(outcome.variables.toSorted(), NAMES);
    assert.deepEqual(outcome.vars, outcome.variables);
    assert.equal(typeof outcome.message, 'string');
    const { id, resource_id, provisioned_at, plan, ...shown } = outcome.addon;
    assert.match(id, /^[0-9a-f]{24}$/);
    assert.match(resource_id, /^addon_/);
    assert.ok(Math.abs(Date.now() - Date.parse(provisioned_at)) < 60_000);
    assert.deepEqual([plan.id, plan.name, plan.display_name, plan.price], [addon.plan_id, 'free', 'Free', 0]);
    assert.deepEqual([shown.app_id, shown.status, shown.deprovisioned_at], [appId, 'running', null]);
    assert.deepEqual(shown.addon_provider, { id: 'postgresql', name: 'PostgreSQL', logo_url: '' });

    const { variables } = (await owner.done('GET', `${path}/variables?aliases=false`)).json<{
      variables: readonly Variable[];
    }>();
    assert.deepEqual(
      variables.map(({ name }) => name),
      NAMES,
    );
    const [url = '', second] = variables.map(({ value }) => value);
    assert.equal(url, second);
    await query(url, 'create table kept (word text)');
    await query(url, "insert into kept values ('here')");
    const owned = await owner.send('POST', `${path}/variables`, { variable: { name: 'DATABASE_URL', value: 'mine' } });
    assert.equal(owned.status, 422, 'what an add-on gave is not the app’s to change');

    assert.deepEqual((await owner.done('GET', `${path}/addons`)).json(), { addons: [outcome.addon] });
    for (const reference of [id, resource_id])
      assert.deepEqual((await owner.done('GET', `${path}/addons/${reference}`)).json(), { addon: outcome.addon });

    const larger = { addon: { plan_id: await planId('standard-0') } };
    const upgraded = await owner.send('PATCH', `${path}/addons/${id}`, larger);
    assert.equal(upgraded.status, 200, upgraded.text);
    const after = upgraded.json<Outcome>();
    assert.deepEqual([after.addon.plan.name, after.addon.id], ['standard-0', id]);
    assert.deepEqual([after.vars.toSorted(), after.variables.toSorted()], [NAMES, NAMES]);
    assert.deepEqual(await query(url, 'select word from kept'), [{ word: 'here' }], 'an upgrade keeps the data');
    assert.equal((await owner.send('PATCH', `${path}/addons/${id}`, larger)).status, 422, 'it has this plan');

    const told = (await owner.done('GET', `${path}/events`)).json<{
      events: readonly { type: string; type_data: Record<string, unknown>; user: { email: string } | null }[];
    }>().events;
    const about = { addon_provider_name: 'PostgreSQL', resource_id };
    assert.deepEqual(
      told.slice(0, 2).map(({ type, type_data, user }) => [type, type_data, user?.email]),
      [
        [
          'upgrade_addon',
          { ...about, plan_name: 'standard-0', old_plan_name: 'free', new_plan_name: 'standard-0' },
          owner.email,
        ],
        ['new_addon', { ...about, plan_name: 'free' }, owner.email],
      ],
    );

    assert.equal((await owner.send('DELETE', `${path}/addons/${id}`)).status, 204);
    assert.deepEqual((await owner.done('GET', `${path}/addons`)).json(), { addons: [] });
    assert.deepEqual((await owner.done('GET', `${path}/variables`)).json(), { variables: [] });
    await assert.rejects(query(url, 'select 1'), 'database and role are gone');
    const missing = await owner.send('GET', `${path}/addons/${id}`);
    assert.deepEqual([missing.status, missing.json()], [404, { resource: 'addon', error: 'not found' }]);
    const [last] = (await owner.done('GET', `${path}/events`)).json<{ events: readonly { type: string }[] }>().events;
    assert.equal(last?.type, 'delete_addon');
  });

  test('names as scripts of the time say them; a second database gets names of its own', async () => {
    const owner = await person();
    const { path } = await owner.app('two-databases');
    const add = async (addon_provider_id: string, plan_id: string): Promise<Outcome> =>
      (await owner.done('POST', `${path}/addons`, { addon: { addon_provider_id, plan_id } })).json<Outcome>();
    const first = await add('scalingo-postgresql', 'free');
    const second = await add('postgresql', await planId('free'));
    assert.deepEqual(first.variables.toSorted(), NAMES);
    assert.equal(second.variables.length, 2);
    for (const name of second.variables)
      assert.match(name, /^POSTGRESQL_\w+_(?:DATABASE_URL|SCALINGO_POSTGRESQL_URL)$/);
    const { variables } = (await owner.done('GET', `${path}/variables`)).json<{ variables: readonly Variable[] }>();
    assert.equal(new Set(variables.map(({ value }) => value)).size, 2, 'two databases');
  });

  test('what is wrong with a request is said, and nothing is made', async () => {
    const owner = await person();
    const { path } = await owner.app('refused-addons');
    const refused = async (body: unknown): Promise<[number, unknown]> => {
      const answer = await owner.send('POST', `${path}/addons`, body);
      return [answer.status, answer.json()];
    };
    const missing = (field: string): [number, unknown] => [422, { errors: { [field]: ['missing field'] } }];
    const noSuch = (resource: string): [number, unknown] => [404, { resource, error: 'not found' }];
    assert.deepEqual(await refused({}), missing('addon'));
    assert.deepEqual(await refused({ addon: { plan_id: 'free' } }), missing('addon_provider_id'));
    assert.deepEqual(await refused({ addon: { addon_provider_id: 'postgresql' } }), missing('plan_id'));
    assert.deepEqual(await refused({ addon: { addon_provider_id: 'x', plan_id: 'free' } }), noSuch('addon_provider'));
    assert.deepEqual(await refused({ addon: { addon_provider_id: 'postgresql', plan_id: 'x' } }), noSuch('plan'));
    assert.deepEqual((await owner.done('GET', `${path}/addons`)).json(), { addons: [] });
  });

  test('a database has no page to sign in at; its token says for what it is and for how long', async () => {
    const owner = await person();
    const { path, uuid } = await owner.app('token-addon');
    const body = { addon: { addon_provider_id: 'postgresql', plan_id: 'free' } };
    const { addon } = (await owner.done('POST', `${path}/addons`, body)).json<Outcome>();
    for (const method of ['GET', 'POST'])
      assert.equal((await owner.send(method, `${path}/addons/${addon.id}/sso`)).status, 422);
    const answer = await owner.done('POST', `${path}/addons/${addon.id}/token`);
    const { token, ...rest } = answer.json<{ addon: Addon & { token: string } }>().addon;
    assert.deepEqual(rest, addon);
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<
      string,
      unknown
    >;
    assert.equal(claims.app_id, uuid);
    assert.equal(Number(claims.exp) - Number(claims.iat), 3600);
    assert.equal((await as(`Bearer ${token}`)('GET', '/apps')).status, 401, 'it opens nothing here');
  });

  test('one that holds more than its plan allows is suspended, one that goes says so', async () => {
    const { db, core } = get().served;
    const owner = await person();
    const { path } = await owner.app('full-database');
    const body = { addon: { addon_provider_id: 'postgresql', plan_id: 'free' } };
    const { addon } = (await owner.done('POST', `${path}/addons`, body)).json<Outcome>();
    const actor = await core.authenticator.byToken(owner.token);
    const found = await core.addons.getOfApp(actor, 'full-database', addon.resource_id);
    const statusOf = async (): Promise<string> =>
      (await owner.done('GET', `${path}/addons/${addon.id}`)).json<{ addon: Addon }>().addon.status;
    for (const [change, status] of [
      [{ overLimit: true }, 'suspended'],
      [{ overLimit: false }, 'running'],
      [{ state: 'provisioning' }, 'provisioning'],
      [{ state: 'failed' }, 'failed'],
      [{ state: 'removing' }, 'deprovisioning'],
    ] as const) {
      await db.addons.update(found.id, change);
      assert.equal(await statusOf(), status);
    }
  });

  test('another’s app and add-on look like none', async () => {
    const owner = await person();
    const stranger = await person();
    const { path } = await owner.app('private-addons');
    const { path: theirs } = await stranger.app('stranger-addons');
    const body = { addon: { addon_provider_id: 'postgresql', plan_id: 'free' } };
    const { addon } = (await owner.done('POST', `${path}/addons`, body)).json<Outcome>();
    for (const [method, at] of [
      ['GET', `${path}/addons`],
      ['GET', `${path}/addons/${addon.id}`],
      ['GET', `${theirs}/addons/${addon.id}`],
      ['DELETE', `${theirs}/addons/${addon.resource_id}`],
      ['POST', `${theirs}/addons/${addon.id}/token`],
    ] as const)
      assert.equal((await stranger.send(method, at)).status, 404, `${method} ${at}`);
    const change = { addon: { plan_id: 'standard-0' } };
    assert.equal((await stranger.send('PATCH', `${theirs}/addons/${addon.id}`, change)).status, 404);
    assert.deepEqual((await owner.done('GET', `${path}/addons`)).json(), { addons: [addon] });
  });

  test('the JavaScript client adds, lists, changes and removes', async () => {
    const owner = await person();
    await owner.app('js-addons');
    const apiUrl = get().served.url;
    const client = await scalingo.clientFromToken(owner.token, { apiUrl, authApiUrl: apiUrl, billingApiUrl: apiUrl });
    const [provider] = await client.Addons.listProviders();
    assert.equal(provider?.id, 'postgresql');
    assert.equal((await client.Addons.listCategories()).length, 1);
    const [free, standard] = provider?.plans ?? [];
    const made = await client.Addons.create('js-addons', {
      addon_provider_id: provider?.id ?? '',
      plan_id: free?.id ?? '',
    } as never);
    assert.equal(made.plan.name, 'free');
    assert.deepEqual(
      (await client.Addons.for('js-addons')).map(({ id, status }) => [id, status]),
      [[made.id, 'running']],
    );
    await client.Addons.update('js-addons', made.id, { plan_id: standard?.id ?? '' } as never);
    assert.equal((await client.Addons.getAddon('js-addons', made.id)).plan.name, 'standard-0');
    await client.Addons.destroy('js-addons', made.id);
    assert.deepEqual(await client.Addons.for('js-addons'), []);
    const types = (await client.Events.listEventTypes()).map(({ name }) => name);
    const { events } = (await client.Events.for('js-addons')) as unknown as { events: readonly { type: string }[] };
    assert.deepEqual(
      events.map(({ type }) => type),
      ['delete_addon', 'upgrade_addon', 'new_addon', 'new_app'],
    );
    assert.ok(events.every(({ type }) => (types as readonly string[]).includes(type)));
  });
});
