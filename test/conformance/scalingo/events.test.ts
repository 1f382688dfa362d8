/** The timeline: every type that acts over this API make, and what each client can read of them. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { EventKind } from '../../../src/core/events/event.ts';
import { Secret } from '../../../src/core/ports/secret.ts';
import { systemClock, systemIds } from '../../../src/lib/clock.ts';
import { makeCertificate } from '../../router/support/certificates.ts';
import { runInstance } from '../../security/running-instance.ts';
import { type Event, eventSuite } from './event-suite.ts';
import { finishBuild } from './served.ts';

const OLD_CLIENT = { 'user-agent': 'Scalingo Go Client' };
const NEW_CLIENT = { 'user-agent': 'Scalingo CLI v1.31.0' };
const HIDDEN = '[hidden]';

const brief = ({ type, type_data }: Event): [string, unknown] => [type, type_data];

suite('events', () => {
  const { get, withApp, timeline, happen } = eventSuite();

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

  test('what a deployment, a crash and a one-off leave', async () => {
    const made = await withApp('ended-app');
    const say = (kind: EventKind, data: Record<string, unknown>): Promise<void> => happen(made.uuid, kind, data);
    const build = systemIds.id();
    const outcome = { build, by: made.username, commit: 'abc123', seconds: 40, version: 3 };
    await say('ReleaseSucceeded', { ...outcome, kind: 'deploy' });
    await say('ReleaseFailed', { ...outcome, kind: 'deploy', code: 'H20' });
    await say('ReleaseFailed', { ...outcome, kind: 'deploy', code: 'H10' });
    await say('ReleaseFailed', { ...outcome, kind: 'deploy', code: 'cancelled' });
    await say('BuildFailed', { ...outcome, code: 'x' });
    await say('BuildCancelled', outcome);
    await say('CommandExecuted', { command: 'rake db:migrate', detached: true });
    await say('InstanceCrashed', { type: 'web', message: 'crashed: exited with status 1', restarts: 1 });
    // What is no deployment, and what this API has no word for.
    await say('ReleaseSucceeded', { ...outcome, kind: 'config' });
    await say('InstanceReady', { type: 'web' });
    await say('CommandExecuted', { instance: 'x' });
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
    const [run, crash, ...more] = told.slice(deployments.length);
    assert.deepEqual(more, []);
    assert.deepEqual(run && brief(run), ['run', { command: 'rake db:migrate', detached: true }]);
    assert.deepEqual(crash && brief(crash), [
      'crash',
      { container_type: 'web', crash_logs: 'crashed: exited with status 1' },
    ]);
    assert.equal(crash?.user, null);
  });
});
