/** Whose events they are, by pages and one by one: of apps that change hands, names, or are gone, and of accounts. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { shortId } from '../../../src/core/names.ts';
import { systemClock, systemIds } from '../../../src/lib/clock.ts';
import { publicKey } from '../../support/public-key.ts';
import { eventSuite, pageOf } from './event-suite.ts';

suite('timelines', () => {
  const { get, as, person, withApp, timeline, happen } = eventSuite();

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

  test('a name in an event gives away nobody who has nothing to do with the app', async () => {
    const { core } = get();
    const made = await withApp('named-app');
    const other = await person();
    // A token can be called like anybody.
    await happen(made.uuid, 'AppRestarted', {}, { name: other.username, userId: null });
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
    const { send, events, path, uuid } = await withApp('single-app');
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
    await happen(uuid, 'InstanceReady');
    const [hidden] = (await get().db.events.list({ appId: uuid, kinds: ['InstanceReady'] }, { limit: 1 })).items;
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
