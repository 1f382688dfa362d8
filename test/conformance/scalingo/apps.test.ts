/** Apps: made, rehearsed, listed, renamed, given away, destroyed; children of apps. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { EMPTY_BASIC, type Send, servedForSuite } from './served.ts';

interface App {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly owner: { readonly id: string; readonly username: string; readonly email: string };
  readonly created_at: string;
  readonly last_deployed_at: string | null;
  readonly git_url: string;
  readonly url: string;
  readonly urls: readonly string[];
  readonly links: { readonly deployments_stream: string };
  readonly domains?: readonly { readonly name: string }[];
  readonly parent_app_name: string | null;
}

const appOf = (answer: { json<T>(): T }): App => answer.json<{ app: App }>().app;
const names = async (send: Send, path = '/apps', key = 'apps'): Promise<readonly string[]> =>
  ((await send('GET', path)).json<Record<string, readonly App[]>>()[key] ?? []).map(({ name }) => name);
const errorsOf = (answer: { json<T>(): T }): Record<string, string[]> =>
  answer.json<{ errors: Record<string, string[]> }>().errors;

suite('apps', () => {
  const { get, as, person } = servedForSuite();

  async function withApp(name: string) {
    const owner = await person();
    const answer = await owner.send('POST', '/apps', { app: { name } });
    assert.equal(answer.status, 201, answer.text);
    return { ...owner, app: appOf(answer) };
  }

  test('an app is made with all that clients read, and found by its name and both its ids', async () => {
    const { send, app, username, email } = await withApp('example-app');
    assert.match(app.id, /^[0-9a-f]{24}$/);
    assert.match(app.created_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.deepEqual([app.name, app.status, app.last_deployed_at], ['example-app', 'new', null]);
    assert.deepEqual([app.owner.username, app.owner.email], [username, email]);
    assert.equal(app.git_url, 'ssh://git@ssh.test:2222/example-app.git');
    assert.deepEqual([app.url, app.urls], ['http://example-app.apps.test:7780', ['example-app.apps.test:7780']]);
    const { host } = new URL(get().url);
    assert.equal(new URL(app.links.deployments_stream).protocol, 'ws:');
    assert.equal(new URL(app.links.deployments_stream).host, host);
    const { uuid } = (await send('GET', '/apps/example-app')).json<{ app: { uuid: string } }>().app;
    for (const reference of ['example-app', app.id, uuid]) {
      const shown = appOf(await send('GET', `/apps/${reference}`));
      assert.deepEqual([shown.id, shown.domains], [app.id, []], reference);
    }
    assert.deepEqual(await names(send), ['example-app']);
  });

  test('names: what may be one, and what is taken', async () => {
    const { send } = await person();
    const refused: Readonly<Record<string, string>> = {
      AnotherApp: 'should contain only lowercap letters, digits and hyphens',
      under_score: 'should contain only lowercap letters, digits and hyphens',
      'two--hyphens': 'should not begin or end with a hyphen, nor contain two in a row',
      '-first': 'should not begin or end with a hyphen, nor contain two in a row',
      'last-hyphen-': 'should not begin or end with a hyphen, nor contain two in a row',
      short: 'is too short (minimum is 6 characters)',
      [`long-${'x'.repeat(44)}`]: 'is too long (maximum is 48 characters)',
      collaboration: 'is reserved',
      '': "can't be blank",
    };
    for (const [name, text] of Object.entries(refused)) {
      const answer = await send('POST', '/apps', { app: { name } });
      assert.deepEqual([answer.status, errorsOf(answer)], [422, { name: [text] }], name);
    }
    assert.equal((await send('POST', '/apps', { app: { name: 'sixsix', parent_id: '' } })).status, 201);
    const stranger = await person();
    const taken = await stranger.send('POST', '/apps', { app: { name: 'sixsix' } });
    assert.deepEqual([taken.status, errorsOf(taken)], [422, { name: ['has already been taken'] }]);
  });

  test('a dry run answers like the real thing and makes nothing', async () => {
    const { send } = await person();
    const dry = { 'x-dry-run': 'true' };
    const answer = await send('POST', '/apps', { app: { name: 'rehearsal' } }, dry);
    assert.deepEqual([answer.status, appOf(answer).name, appOf(answer).status], [201, 'rehearsal', 'new']);
    assert.deepEqual(await names(send), []);
    assert.equal((await send('POST', '/apps', { app: { name: 'rehearsal' } })).status, 201);
    const taken = await send('POST', '/apps', { app: { name: 'rehearsal' } }, dry);
    assert.deepEqual([taken.status, errorsOf(taken)], [422, { name: ['has already been taken'] }]);
  });

  test('another person’s app is not there, for reading and for everything else', async () => {
    const { app } = await withApp('private-app');
    const { send } = await person();
    for (const reference of ['private-app', app.id])
      for (const [method, path, body] of [
        ['GET', '', undefined],
        ['DELETE', '?current_name=private-app', undefined],
        ['POST', '/rename', { current_name: 'private-app', new_name: 'stolen-app' }],
        ['PATCH', '', { app: { owner: 'me@example.com' } }],
        ['GET', '/containers', undefined],
      ] as const) {
        const answer = await send(method, `/apps/${reference}${path}`, body);
        assert.deepEqual([answer.status, answer.json()], [404, { resource: 'app', error: 'not found' }], path);
      }
    assert.deepEqual(await names(send), []);
    assert.equal((await as(EMPTY_BASIC)('GET', '/apps/private-app')).status, 401);
  });

  test('an app is renamed, with its current name said; the old one is free again', async () => {
    const { send } = await withApp('old-name');
    const refused = await send('POST', '/apps/old-name/rename', { current_name: 'other', new_name: 'new-name' });
    assert.deepEqual([refused.status, Object.keys(errorsOf(refused))], [422, ['current_name']]);
    const bad = await send('POST', '/apps/old-name/rename', { current_name: 'old-name', new_name: 'No' });
    assert.deepEqual([bad.status, Object.keys(errorsOf(bad))], [422, ['new_name']]);
    const renamed = await send('POST', '/apps/old-name/rename', { current_name: 'old-name', new_name: 'new-name' });
    assert.deepEqual([renamed.status, appOf(renamed).name], [200, 'new-name']);
    assert.match(appOf(renamed).git_url, /\/new-name\.git$/);
    assert.equal((await send('GET', '/apps/old-name')).status, 404);
    assert.equal((await send('POST', '/apps', { app: { name: 'old-name' } })).status, 201);
    const taken = await send('POST', '/apps/new-name/rename', { current_name: 'new-name', new_name: 'old-name' });
    assert.equal(taken.status, 422);
  });

  test('an app goes to a collaborator, in every form that was documented; who gave it works on it', async () => {
    const forms = [
      (email: string) => ['', { app: { owner: { email } } }] as const,
      (email: string) => ['?current_name=gift-app-1', { app: { owner: email } }] as const,
      (email: string) => ['', { app: { owner: email } }] as const,
    ];
    for (const [at, form] of forms.entries()) {
      const name = `gift-app-${at}`;
      const { send } = await withApp(name);
      const next = await person();
      const [query, body] = form(next.email);
      const early = await send('PATCH', `/apps/${name}${query}`, body);
      assert.deepEqual([early.status, Object.keys(errorsOf(early))], [422, ['owner']]);
      const invited = await send('POST', `/apps/${name}/collaborators`, { collaborator: { email: next.email } });
      const link = new URL(invited.json<{ collaborator: { invitation_link: string } }>().collaborator.invitation_link);
      assert.equal((await next.send('GET', `/apps/collaboration${link.search}`)).status, 200);
      const moved = await send('PATCH', `/apps/${name}${query}`, body);
      assert.deepEqual([moved.status, appOf(moved).owner.email], [200, next.email], moved.text);
      assert.equal((await send('GET', `/apps/${name}`)).status, 200);
      assert.equal((await send('DELETE', `/apps/${name}?current_name=${name}`)).status, 403);
      assert.equal((await next.send('DELETE', `/apps/${name}?current_name=${name}`)).status, 204);
    }
    const { send, email } = await withApp('wrong-name');
    const wrong = await send('PATCH', '/apps/wrong-name?current_name=other', { app: { owner: email } });
    assert.deepEqual([wrong.status, Object.keys(errorsOf(wrong))], [422, ['current_name']]);
  });

  test('switches that the platform lacks stay off, and say so', async () => {
    const { send } = await withApp('switches');
    for (const name of ['force_https', 'sticky_session', 'router_logs']) {
      assert.equal((await send('PATCH', '/apps/switches', { app: { [name]: false } })).status, 200);
      assert.equal((await send('PUT', '/apps/switches', { [name]: false })).status, 200);
      const refused = await send('PUT', '/apps/switches', { [name]: true });
      assert.deepEqual([refused.status, Object.keys(errorsOf(refused))], [422, [name]]);
    }
    const nothing = await send('PATCH', '/apps/switches', {});
    assert.deepEqual([nothing.status, errorsOf(nothing)], [422, { app: ['missing field'] }]);
  });

  test('an app is destroyed when its name is said once more', async () => {
    const { send, app } = await withApp('doomed-app');
    for (const query of ['', '?current_name=other', `?current_name=${app.id}`]) {
      const refused = await send('DELETE', `/apps/doomed-app${query}`);
      assert.deepEqual([refused.status, Object.keys(errorsOf(refused))], [422, ['current_name']], query);
    }
    const gone = await send('DELETE', `/apps/${app.id}?current_name=doomed-app`);
    assert.deepEqual([gone.status, gone.text], [204, '']);
    for (const reference of ['doomed-app', app.id])
      assert.equal((await send('GET', `/apps/${reference}`)).status, 404, reference);
    assert.deepEqual(await names(send), []);
    assert.equal((await send('POST', '/apps', { app: { name: 'doomed-app' } })).status, 201);
  });

  test('an app of a source is deployed at once', async () => {
    const { send } = await person();
    const source = 'https://github.com/Scalingo/sample-app';
    const dry = await send(
      'POST',
      '/apps',
      { app: { name: 'from-source', git_source: source } },
      { 'x-dry-run': 'true' },
    );
    assert.deepEqual([dry.status, dry.json<{ app: { git_source: string } }>().app.git_source], [201, source]);
    const made = await send('POST', '/apps', { app: { name: 'from-source', git_source: source } });
    const { uuid, git_source } = made.json<{ app: { uuid: string; git_source: string } }>().app;
    assert.deepEqual([made.status, git_source], [201, source], made.text);
    const { items } = await get().db.builds.list(uuid, { limit: 10 });
    const urls = items.map((build) => (build.source.kind === 'archive' ? build.source.url.reveal() : null));
    assert.deepEqual(urls, [`${source}/archive/HEAD.tar.gz`]);
    const refused = await send('POST', '/apps', { app: { name: 'from-nowhere', git_source: 'git@host:a/b.git' } });
    assert.deepEqual([refused.status, Object.keys(errorsOf(refused))], [422, ['git_source']]);
    assert.deepEqual(await names(send), ['from-source']);
  });

  test('children of an app know it, and nobody else’s app has any', async () => {
    const { send, app } = await withApp('parent-app');
    const child = await send('POST', '/apps/parent-app/child_apps', { app: { name: 'child-one' } });
    assert.deepEqual([child.status, appOf(child).parent_app_name], [201, 'parent-app'], child.text);
    const second = await send('POST', '/apps', { app: { name: 'child-two', parent_id: app.id } });
    assert.deepEqual([second.status, appOf(second).parent_app_name], [201, 'parent-app']);
    const dry = await send(
      'POST',
      '/apps/parent-app/child_apps',
      { app: { name: 'child-dry' } },
      { 'x-dry-run': 'true' },
    );
    assert.deepEqual([dry.status, appOf(dry).parent_app_name], [201, 'parent-app']);
    assert.deepEqual(await names(send, '/apps/parent-app/child_apps', 'child_apps'), ['child-one', 'child-two']);
    assert.deepEqual(await names(send), ['child-one', 'child-two', 'parent-app']);
    const stranger = await person();
    assert.equal((await stranger.send('POST', '/apps', { app: { name: 'no-child', parent_id: app.id } })).status, 404);
    const renamed = { current_name: 'parent-app', new_name: 'renamed-parent' };
    assert.equal((await send('POST', '/apps/parent-app/rename', renamed)).status, 200);
    assert.equal(appOf(await send('GET', '/apps/child-one')).parent_app_name, 'renamed-parent');
  });

  test('an app of another API is here under its handle', async () => {
    const { core, tokens } = get();
    const admin = await core.authenticator.byToken(tokens.admin);
    const space = await core.spaces.get(admin, 'live');
    await core.apps.create(admin, { name: 'elsewhere', team: 'main', spaceId: space.id });
    const shown = await as(`Bearer ${tokens.admin}`)('GET', '/apps/elsewhere-live');
    assert.deepEqual([shown.status, appOf(shown).name, appOf(shown).owner.username], [200, 'elsewhere-live', 'admin']);
  });
});
