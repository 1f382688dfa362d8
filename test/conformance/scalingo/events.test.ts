/** The timeline: every type that acts over this API make, paging, whose events they are, and what each client can read of them. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { systemActor } from '../../../src/core/access/actor.ts';
import { record } from '../../../src/core/events/record.ts';
import { shortId } from '../../../src/core/names.ts';
import { Secret } from '../../../src/core/ports/secret.ts';
import { systemClock, systemIds } from '../../../src/lib/clock.ts';
import { makeCertificate } from '../../router/support/certificates.ts';
import { runInstance } from '../../security/running-instance.ts';
import { testBox } from '../../support/postgres.ts';
import { publicKey } from '../../support/public-key.ts';
import { type Answer, finishBuild, type Send, servedForSuite } from './served.ts';

interface Event {
  readonly id: string;
  readonly created_at: string;
  readonly type: string;
  readonly type_data: Readonly<Record<string, unknown>>;
  readonly user: { readonly id: string; readonly username: string; readonly email: string } | null;
  readonly app_id?: string;
  readonly app_name?: string;
}
interface Page {
  readonly events: readonly Event[];
  readonly meta: Readonly<Record<string, unknown>> & { readonly pagination: Readonly<Record<string, unknown>> };
}

const OLD_CLIENT = { 'user-agent': 'Scalingo Go Client' };
const NEW_CLIENT = { 'user-agent': 'Scalingo CLI v1.31.0' };
const HIDDEN = '[hidden]';

const pageOf = (answer: Answer): Page => {
  assert.equal(answer.status, 200, answer.text);
  return answer.json<Page>();
};
const brief = ({ type, type_data }: Event): [string, unknown] => [type, type_data];

suite('events', () => {
  const { get, as, person } = servedForSuite();

  /** Events of the path, oldest first. */
  const timeline = async (send: Send, path: string, headers?: Record<string, string>): Promise<readonly Event[]> =>
    pageOf(await send('GET', `${path}?per_page=100`, undefined, headers)).events.toReversed();

  async function withApp(name: string) {
    const owner = await person();
    const done = async (...[method, path, body]: Parameters<Send>): Promise<Answer> => {
      const answer = await owner.send(method, path, body);
      assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${answer.text}`);
      return answer;
    };
    const { id, uuid } = (await done('POST', '/apps', { app: { name } })).json<{ app: { id: string; uuid: string } }>()
      .app;
    return { ...owner, done, id, uuid, path: `/apps/${name}`, events: `/apps/${name}/events` };
  }

  /** Builds and releases something with a web and a worker, runs one web, and ends what was begun. Gives the web's id. */
  async function deployed({ token, uuid }: { token: string; uuid: string }): Promise<string> {
    const { core, db } = get();
    const actor = await core.authenticator.byToken(token);
    const source = { kind: 'archive', url: new Secret('data:,x'), checksum: null } as const;
    const { id: build } = await core.builds.create(actor, uuid, { source });
    await finishBuild(db, build);
    const release = await core.releases.deploy(actor, uuid, build);
    const now = systemClock.now();
    await db.releases.advance(release.id, ['pending'], { status: 'succeeded', updatedAt: now });
    await db.apps.update(uuid, { currentReleaseId: release.id, releasedAt: now });
    await settle(uuid);
    return runInstance(get(), { id: uuid, releaseId: release.id, type: 'web' });
  }
  async function settle(uuid: string): Promise<void> {
    const { db } = get();
    for (const { id } of await db.operations.open(uuid, ['scale', 'restart', 'deploy']))
      await db.operations.finish(id, null, 'succeeded', null);
  }

  test('what is done to an app is told in the documents’ types', async () => {
    const made = await withApp('told-app');
    const { done, path, events, username, email, id } = made;
    await deployed(made);
    await done('POST', `${path}/scale`, { containers: [{ name: 'web', amount: 2, size: 'L' }] });
    await settle(made.uuid);
    await done('POST', `${path}/restart`, { scope: null });
    await settle(made.uuid);
    await done('POST', `${path}/restart`, { scope: ['web'] });
    await settle(made.uuid);
    await done('POST', `${path}/restart`, { scope: ['web-1'] });
    await settle(made.uuid);
    const told = await timeline(made.send, events);
    assert.deepEqual(told.map(brief), [
      ['new_app', {}],
      ['scale', { previous_containers: { web: 1 }, containers: { web: 2 } }],
      ['restart', { scope: null }],
      ['restart', { scope: ['web'] }],
      ['restart', { scope: ['web-1'] }],
    ]);
    for (const event of told) {
      assert.match(event.id, /^[0-9a-f]{24}$/);
      assert.match(event.created_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      assert.deepEqual([event.app_id, event.app_name], [id, 'told-app']);
      assert.deepEqual([event.user?.username, event.user?.email], [username, email]);
      assert.match(event.user?.id ?? '', /^[0-9a-f]{24}$/);
    }
    const sizes = (await timeline(made.send, events, OLD_CLIENT)).filter(({ type }) => type === 'scale').map(brief);
    assert.deepEqual(sizes, [['scale', { previous_containers: { web: '1:M' }, containers: { web: '2:L' } }]]);
  });

  test('domains and certificates', async (t) => {
    const pair = await makeCertificate(t, ['tls.example.org']);
    if (pair === null) return;
    const { done, send, path, events } = await withApp('domain-told');
    const tls = { tlscert: pair.certificatePem, tlskey: pair.privateKeyPem };
    const { domain } = (await done('POST', `${path}/domains`, { domain: { name: 'tls.example.org', ...tls } })).json<{
      domain: { id: string };
    }>();
    await done('PATCH', `${path}/domains/${domain.id}`, { domain: { tlscert: '', tlskey: '' } });
    await done('PATCH', `${path}/domains/${domain.id}`, { domain: tls });
    await done('DELETE', `${path}/domains/${domain.id}`);
    const hostname = 'tls.example.org';
    assert.deepEqual((await timeline(send, events)).slice(1).map(brief), [
      ['new_domain', { hostname, ssl: true }],
      ['edit_domain', { hostname, ssl: false, old_ssl: true }],
      ['edit_domain', { hostname, ssl: true, old_ssl: false }],
      ['delete_domain', { hostname }],
    ]);
  });

  test('variables: one by one and many at once, and never a value', async () => {
    const { done, send, path, events } = await withApp('variable-told');
    const variables = `${path}/variables`;
    const { variable } = (await done('POST', variables, { variable: { name: 'ONE', value: 'secret-1' } })).json<{
      variable: { id: string };
    }>();
    await done('PATCH', `${variables}/${variable.id}`, { variable: { value: 'secret-2' } });
    await done('PUT', variables, { variables: [{ name: 'TWO', value: 'secret-3' }] });
    const list = [
      { name: 'ONE', value: 'secret-4' },
      { name: 'THREE', value: 'secret-5' },
    ];
    await done('PUT', variables, { variables: list });
    await done('DELETE', `${variables}/${variable.id}`);
    const told = (await timeline(send, events)).slice(1);
    assert.deepEqual(told.map(brief), [
      ['new_variable', { name: 'ONE', value: HIDDEN }],
      ['edit_variable', { name: 'ONE', value: HIDDEN, old_value: HIDDEN }],
      ['edit_variables', { new_vars: [{ name: 'TWO', value: HIDDEN }], updated_vars: [], deleted_vars: [] }],
      [
        'edit_variables',
        {
          new_vars: [{ name: 'THREE', value: HIDDEN }],
          updated_vars: [{ name: 'ONE', value: HIDDEN, old_value: HIDDEN }],
          deleted_vars: [],
        },
      ],
      ['delete_variable', { name: 'ONE', value: HIDDEN }],
    ]);
    const { text } = await send('GET', `${events}?per_page=100`);
    assert.doesNotMatch(text, /secret-\d/);
    assert.doesNotMatch((await send('GET', '/events?per_page=100')).text, /secret-\d/);
    // The clients that would never return from it.
    const old = (await timeline(send, events, OLD_CLIENT)).slice(1);
    assert.deepEqual(brief(old[0] as Event), [
      'edit_variables',
      { new_vars: [{ name: 'ONE', value: HIDDEN }], updated_vars: [], deleted_vars: [] },
    ]);
    assert.ok(old.every(({ type }) => type !== 'new_variable'));
    const now = (await timeline(send, events, NEW_CLIENT)).slice(1);
    assert.equal(now[0]?.type, 'new_variable');
  });

  test('people: invited, accepted, removed; the app given away and renamed; its name then stays in the event', async () => {
    const { core } = get();
    const owner = await withApp('first-name');
    const guest = await person();
    const actor = await core.authenticator.byToken(owner.token);
    const { token } = await core.collaborators.invite(actor, owner.uuid, guest.email);
    await core.collaborators.accept(await core.authenticator.byToken(guest.token), token);
    await owner.done('POST', `${owner.path}/collaborators`, { collaborator: { email: 'nobody@example.com' } });
    const { collaborators } = (await owner.done('GET', `${owner.path}/collaborators`)).json<{
      collaborators: readonly { id: string; email: string }[];
    }>();
    const pending = collaborators.find(({ email }) => email === 'nobody@example.com')?.id ?? '';
    await owner.done('DELETE', `${owner.path}/collaborators/${pending}`);
    await owner.done('POST', `${owner.path}/rename`, { current_name: 'first-name', new_name: 'second-name' });
    await owner.done('PATCH', '/apps/second-name?current_name=second-name', { app: { owner: guest.email } });
    const told = (await timeline(guest.send, '/apps/second-name/events')).slice(1);
    const inviter = { username: owner.username, email: owner.email };
    assert.deepEqual(
      told.map(({ type, app_name }) => [type, app_name]),
      [
        ['new_collaborator', 'first-name'],
        ['accept_collaborator', 'first-name'],
        ['new_collaborator', 'first-name'],
        ['delete_collaborator', 'first-name'],
        ['rename_app', 'second-name'],
        ['transfer_app', 'second-name'],
      ],
    );
    const [invited, accepted, , removed, renamed, transferred] = told.map(({ type_data }) => type_data);
    const fieldsOf = (data: unknown) => (data ?? {}) as Record<string, unknown>;
    assert.deepEqual(fieldsOf(invited?.collaborator).email, guest.email);
    const { id, ...collaborator } = fieldsOf(accepted?.collaborator);
    assert.match(String(id), /^[0-9a-f]{24}$/);
    assert.deepEqual(collaborator, { email: guest.email, username: guest.username, inviter });
    assert.deepEqual(removed?.collaborator, { id: pending, email: 'nobody@example.com' });
    assert.deepEqual(renamed, { old_name: 'first-name', new_name: 'second-name' });
    const { old_owner, new_owner } = transferred as Record<string, Record<string, unknown>>;
    assert.deepEqual([old_owner?.email, new_owner?.email], [owner.email, guest.email]);
    // They go with the app: who gave it away and does not work on it any more has them no longer.
    const left = (await guest.send('GET', '/apps/second-name/collaborators')).json<{
      collaborators: readonly { id: string; email: string }[];
    }>();
    const former = left.collaborators.find(({ email }) => email === owner.email)?.id;
    assert.equal((await guest.send('DELETE', `/apps/second-name/collaborators/${former}`)).status, 204);
    const still = await timeline(owner.send, '/events');
    assert.ok(still.every(({ app_id }) => app_id !== owner.id));
    assert.equal((await owner.send('GET', '/apps/second-name/events')).status, 404);
    const theirs = await timeline(guest.send, '/events');
    assert.equal(theirs.filter(({ app_id }) => app_id === owner.id).length, 8);
  });

  test('what a deployment, a crash and a one-off leave', async () => {
    const { db } = get();
    const made = await withApp('ended-app');
    const app = await db.apps.find(made.uuid);
    assert.ok(app);
    const context = { db, clock: systemClock, ids: systemIds, box: testBox };
    const say = (kind: Parameters<typeof record>[3], data: Record<string, unknown>): Promise<void> =>
      record(context, db, systemActor, kind, { app }, data);
    const build = systemIds.id();
    const outcome = { build, by: made.username, commit: 'abc123', seconds: 40, version: 3 };
    await say('ReleaseSucceeded', { ...outcome, kind: 'deploy' });
    await say('ReleaseFailed', { ...outcome, kind: 'deploy', code: 'H20' });
    await say('ReleaseFailed', { ...outcome, kind: 'deploy', code: 'H10' });
    await say('ReleaseFailed', { ...outcome, kind: 'deploy', code: 'cancelled' });
    await say('BuildFailed', { ...outcome, code: 'x' });
    await say('BuildCancelled', outcome);
    await say('InstanceCrashed', { type: 'web', message: 'crashed: exited with status 1', restarts: 1 });
    // What is no deployment, and what this API has no word for.
    await say('ReleaseSucceeded', { ...outcome, kind: 'config' });
    await say('InstanceReady', { type: 'web' });
    const told = (await timeline(made.send, made.events)).slice(1);
    const deployments = told.filter(({ type }) => type === 'deployment');
    assert.deepEqual(
      deployments.map(({ type_data }) => type_data.status),
      ['success', 'timeout-error', 'crashed-error', 'aborted', 'build-error', 'aborted'],
    );
    const { finished_at, ...rest } = deployments[0]?.type_data ?? {};
    assert.equal(finished_at, deployments[0]?.created_at);
    assert.deepEqual(rest, {
      deployment_id: build,
      deployment_uuid: build,
      pusher: made.username,
      git_ref: 'abc123',
      status: 'success',
      duration: 40,
    });
    assert.equal(deployments[0]?.user?.email, made.email);
    const [crash, ...more] = told.slice(deployments.length);
    assert.deepEqual(more, []);
    assert.deepEqual(crash && brief(crash), [
      'crash',
      { container_type: 'web', crash_logs: 'crashed: exited with status 1' },
    ]);
    assert.equal(crash?.user, null);
  });

  test('a name in an event gives away nobody who has nothing to do with the app', async () => {
    const { db, core } = get();
    const made = await withApp('named-app');
    const other = await person();
    const app = await db.apps.find(made.uuid);
    assert.ok(app);
    const context = { db, clock: systemClock, ids: systemIds, box: testBox };
    // A token can be called like anybody.
    const actor = { name: other.username, userId: null };
    await record(context, db, actor, 'AppRestarted', { app }, {});
    const [, restart] = await timeline(made.send, made.events);
    assert.deepEqual(restart?.user, { id: '', username: other.username, email: '' });
    const { token } = await core.collaborators.invite(
      await core.authenticator.byToken(made.token),
      made.uuid,
      other.email,
    );
    await core.collaborators.accept(await core.authenticator.byToken(other.token), token);
    const [, known] = await timeline(made.send, made.events);
    assert.equal(known?.user?.email, other.email);
  });

  test('the account: keys, and the events of a deleted app; nobody else’s', async () => {
    const { done, send, path, id } = await withApp('short-lived');
    const stranger = await withApp('of-a-stranger');
    await done('POST', '/account/keys', { key: { name: 'laptop', content: publicKey() } });
    const { keys } = (await done('GET', '/account/keys')).json<{ keys: readonly { id: string }[] }>();
    await done('DELETE', `/account/keys/${keys[0]?.id}`);
    await done('DELETE', `${path}?current_name=short-lived`);
    const told = await timeline(send, '/events');
    assert.deepEqual(
      told.map(({ type }) => type),
      ['new_app', 'new_key', 'delete_key', 'delete_app'],
    );
    assert.equal(told[1]?.type_data.name, 'laptop');
    assert.match(String(told[1]?.type_data.fingerprint), /^SHA256:/);
    assert.deepEqual(told[2]?.type_data, { name: 'laptop' });
    assert.ok(!('app_id' in (told[1] ?? {})), 'it is about no app');
    assert.deepEqual([told[3]?.app_id, told[3]?.app_name], [id, 'short-lived']);
    assert.equal((await send('GET', `${path}/events`)).status, 404);
    const others = await timeline(stranger.send, '/events');
    assert.deepEqual(
      others.map(({ app_name }) => app_name),
      ['of-a-stranger'],
    );
    const all = await timeline(as(`Bearer ${get().tokens.admin}`), '/events');
    assert.ok(
      all.every(({ app_id }) => app_id !== id && app_id !== stranger.id),
      'an administrator’s own are their own',
    );
  });

  test('pages: nested and flat, within limits; `from` has none', async () => {
    const { done, send, path, events, uuid } = await withApp('paged-app');
    for (let at = 0; at < 4; at += 1)
      await done('POST', `${path}/variables`, { variable: { name: `V${at}`, value: 'x' } });
    const first = pageOf(await send('GET', `${events}?page=1&per_page=2`));
    const keys = { current_page: 1, prev_page: null, next_page: 2, total_pages: 3, total_count: 5 };
    assert.deepEqual(first.meta, { ...keys, pagination: keys });
    const second = pageOf(await send('GET', `${events}?page=2&per_page=2`));
    const third = pageOf(await send('GET', `${events}?page=3&per_page=2`));
    const names = [first, second, third].map((page) => page.events.map(({ type_data }) => type_data.name));
    assert.deepEqual(names, [['V3', 'V2'], ['V1', 'V0'], [undefined]]);
    assert.deepEqual([third.meta.next_page, third.meta.prev_page], [null, 2]);
    const beyond = pageOf(await send('GET', `${events}?page=9&per_page=2`));
    assert.deepEqual([beyond.events, beyond.meta.total_count], [[], 5]);
    assert.equal(pageOf(await send('GET', `${events}?page=x&per_page=1000000`)).events.length, 5);

    const { db } = get();
    const app = await db.apps.find(uuid);
    const hoursAgo = (hours: number): Date => new Date(systemClock.now().getTime() - hours * 3_600_000);
    for (const hours of [3, 80])
      await db.events.append({
        id: systemIds.id(),
        kind: 'AppRestarted',
        at: hoursAgo(hours),
        actorName: 'System',
        actorId: null,
        teamId: app?.teamId ?? null,
        spaceId: null,
        appId: uuid,
        data: { app: 'paged-app' },
      });
    const since = async (query: string): Promise<number> =>
      pageOf(await send('GET', `${events}?${query}`)).events.length;
    assert.equal(await since('from=1&per_page=2'), 5);
    assert.equal(await since('from=4&page=7'), 6);
    assert.equal(await since('from=1000'), 6, '72 hours at most');
    assert.equal(await since('from=soon&per_page=100'), 7);
  });

  test('one event: of the app and of one’s own, by its short id', async () => {
    const { send, events, path } = await withApp('single-app');
    const { send: other } = await withApp('other-app');
    const [made] = await timeline(send, events);
    assert.ok(made);
    for (const where of [`${events}/${made.id}`, `/events/${made.id}`])
      assert.deepEqual((await send('GET', where)).json(), { event: made });
    for (const where of [`${path}/events/${'ab'.repeat(12)}`, `${path}/events/x`, `/events/${'ab'.repeat(12)}`]) {
      const missing = await send('GET', where);
      assert.deepEqual([missing.status, missing.json()], [404, { resource: 'event', error: 'not found' }]);
    }
    for (const where of [`/apps/other-app/events/${made.id}`, `/events/${made.id}`])
      assert.equal((await other('GET', where)).status, 404);
    // One that this API has no word for.
    const { db } = get();
    const app = await db.apps.find('single-app');
    assert.ok(app);
    await record({ db, clock: systemClock, ids: systemIds, box: testBox }, db, systemActor, 'InstanceReady', { app });
    const [hidden] = (await db.events.list({ appId: app.id, kinds: ['InstanceReady'] }, { limit: 1 })).items;
    assert.equal((await send('GET', `${events}/${shortId(hidden?.id ?? '')}`)).status, 404);
  });

  test('types and categories are there for everybody, and hang together', async () => {
    const anybody = as('Basic Og==');
    const { event_types: types } = (await anybody('GET', '/event_types')).json<{
      event_types: readonly { id: string; name: string; category_id: string; display_name: string }[];
    }>();
    const { event_categories: categories } = (await anybody('GET', '/event_categories')).json<{
      event_categories: readonly { id: string; name: string; position: number }[];
    }>();
    const known = new Set(categories.map(({ id }) => id));
    assert.ok(types.every(({ category_id }) => known.has(category_id)));
    assert.equal(new Set(types.map(({ id }) => id)).size, types.length);
    assert.deepEqual(
      categories.map(({ position }) => position),
      categories.map((_category, index) => index + 1),
    );
    const { name, display_name } = types[0] ?? {};
    assert.deepEqual([name, display_name], ['new_app', 'New app']);
  });
});
