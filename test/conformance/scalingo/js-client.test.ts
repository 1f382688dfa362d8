/** The official JavaScript client against a running platform, from an app's first day to its last. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { suite, test } from 'node:test';
import scalingo from 'scalingo';
import listenerModule from 'scalingo/lib/Deployments/listener.js';
import { heldBuild, untilHeld } from '../../support/held-build.ts';
import { ask } from '../../support/request.ts';
import { until } from '../../support/until.ts';
import { archiveOf, livePlatform } from './live.ts';

// Its types tell of a CommonJS module, and it is none.
const Listener = listenerModule as unknown as typeof listenerModule.default;

const NAME = 'js-client-app';

const source = {
  Procfile: 'web: node server.js\n',
  'package.json': '{"name":"js-client","private":true}',
  'server.js': `console.log('started with', process.env.GREETING);
require('http').createServer((request, response) => response.end(process.env.GREETING)).listen(process.env.PORT);
`,
};

suite('the JavaScript client', () => {
  const live = livePlatform();

  test('create, env, deploy an archive, scale, logs, run, stats, events, destroy', async (t) => {
    const { token } = live.platform();
    const apiUrl = live.url();
    const client = await scalingo.clientFromToken(token, { apiUrl, authApiUrl: apiUrl, billingApiUrl: apiUrl });

    const app = await client.Apps.create({ name: NAME });
    assert.deepEqual([app.name, app.status, app.last_deployed_at], [NAME, 'new', null]);

    const created = await client.Environment.bulkUpdate(app.id, [{ name: 'GREETING', value: 'hällo wörld' }] as never);
    assert.match(JSON.stringify(created), /hällo wörld/);
    const variables = await client.Environment.for(app.id);
    assert.deepEqual(
      variables.map(({ name, value }) => [name, value]),
      [['GREETING', 'hällo wörld']],
    );

    // What the client offers for the live stream; it is not among its exports.
    const heard = { ids: [] as string[], log: '', statuses: [] as string[] };
    const listener = new Listener(client, app.links.deployments_stream);
    t.after(() => listener.close());
    listener.onNew(({ deployment }) => void heard.ids.push((deployment as unknown as { id: string }).id));
    listener.onLog(({ content }) => {
      heard.log += content;
    });
    listener.onStatus(({ status }) => void heard.statuses.push(status));
    const marker = `js-client-${randomBytes(6).toString('hex')}`;
    const source_url = await live.upload(await archiveOf(heldBuild(source, marker)));
    const deployment = await client.Deployments.create(app.id, { source_url, git_ref: 'first' });
    assert.equal(deployment.git_ref, 'first');
    assert.equal(deployment.pusher.username, 'admin');
    // The stream may be open for a while before it follows anything.
    const goOn = await untilHeld(marker);
    await until('the stream tells of it', () => heard.statuses.length > 0);
    goOn();
    const done = await until(
      'it is deployed',
      async () => {
        const found = await client.Deployments.find(app.id, deployment.id);
        return ['building', 'pushing', 'starting'].includes(found.status) ? null : found;
      },
      90_000,
      50,
    );
    const output = await client.Deployments.logs(app.id, deployment.id);
    assert.equal(done.status, 'success', output);
    assert.match(output, /Node\.js app detected/);
    await until('the stream told the end', () => heard.statuses.at(-1) === 'success');
    assert.deepEqual(heard, {
      ids: [deployment.id],
      log: output,
      statuses: ['building', 'pushing', 'starting', 'success'],
    });
    assert.equal((await ask(live.platform(), NAME)).body, 'hällo wörld');
    const { deployments, meta } = await client.Deployments.for(app.id, { page: 1, per_page: 10 });
    assert.deepEqual(
      deployments.map(({ id }) => id),
      [deployment.id],
    );
    assert.equal(meta.pagination.total_count, 1);

    const { formation, operation } = await client.Containers.scale(app.id, [{ name: 'web', amount: 2, size: 'S' }]);
    assert.deepEqual(
      formation.map(({ name, amount, size }) => [name, amount, size]),
      [['web', 2, 'S']],
    );
    assert.ok(operation, 'the answer names its operation');
    await operation.wait();
    assert.equal(operation.status, 'done');
    await until('the former one is gone', async () => (await client.Containers.processes(app.id)).length === 2);

    const logs = await until('both containers have said something', async () => {
      const text = await client.Logs.for(app.id, { count: 100 });
      return /\[web-1\] started with/.test(text) && /\[web-2\] started with/.test(text) ? text : null;
    });
    assert.match(logs, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{9} \+0000 UTC \[web-1\] started with hällo wörld$/m);
    assert.deepEqual(await client.Logs.archives(app.id), { archives: [], next_cursor: '', has_more: false });

    const oneOff = await client.Containers.run(app.id, {
      command: 'echo "one-off says $GREETING and $EXTRA"',
      detached: true,
      env: { EXTRA: 'more' },
      size: 'S',
    });
    assert.deepEqual([oneOff.type, oneOff.type_index, oneOff.container_size.name], ['one-off', 1, 'S']);
    await until('the one-off has printed', async () =>
      /\[one-off-1\] one-off says hällo wörld and more/.test(await client.Logs.for(app.id, { count: 100 })),
    );
    const attached = await client.Containers.run(app.id, { command: 'sh' });
    assert.match(attached.attach_url, /^http:\/\/127\.0\.0\.1:\d+\/v1\/one-offs\/[\w-]+$/);
    await client.Containers.stop(app.id, attached.id);

    const stats = (await client.apiClient().get(`/apps/${app.id}/stats`)).data.stats as Record<string, unknown>[];
    assert.deepEqual(
      stats.map(({ id }) => id),
      ['web-1', 'web-2'],
    );
    await until(
      'the platform has sampled',
      async () => (await client.Metrics.get(app.id, 'memory')).length > 0,
      30_000,
      200,
    );

    const { events } = await client.Events.for(app.id);
    const types = new Set(events.map(({ type }) => type));
    for (const type of ['new_app', 'edit_variables', 'deployment', 'scale', 'run'])
      assert.ok(types.has(type as never), type);

    await client.Apps.destroy(app.id, NAME);
    await assert.rejects(client.Apps.find(app.id), { message: 'not found' });
  });
});
