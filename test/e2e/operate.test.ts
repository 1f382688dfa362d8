// test-timeout: 180
/** The operator's commands beside a platform that runs. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { berth, type Said } from '../support/berth-command.ts';
import { startPlatform, type TestPlatform } from '../support/platform.ts';
import { platformCore } from '../support/platform-core.ts';

describe('beside a platform', () => {
  const endings: (() => Promise<void>)[] = [];
  let platform: TestPlatform;
  const say = (...args: readonly string[]): Promise<Said> => berth(platform.dataFolder, ...args);

  before(async () => {
    platform = await startPlatform({ after: (work: () => Promise<void>) => void endings.push(work) });
  });
  after(async () => {
    for (const end of endings.toReversed()) await end();
  });

  test('pools are listed, made and removed; the events say that the platform did it', async (t) => {
    const first = await say('pools', 'list');
    assert.match(first.out, /^NAME\s+ENGINE\s+DEFAULT\s+ID\ndefault\s+process\s+yes\s+[0-9a-f-]{36}\n$/);
    const made = await say('pools', 'add', 'boxes', 'docker', '--json');
    assert.deepEqual([made.code, JSON.parse(made.out).engine], [0, 'docker']);
    const list = JSON.parse((await say('pools', 'list', '--json')).out) as { name: string }[];
    assert.deepEqual(
      list.map(({ name }) => name),
      ['boxes', 'default'],
    );
    const again = await say('pools', 'add', 'boxes', 'docker');
    assert.deepEqual([again.code, again.err], [1, 'berth: the pool exists already\n']);
    assert.match((await say('pools', 'remove', 'default')).err, /default pool cannot be removed/);
    assert.match((await say('pools', 'remove', 'boxes')).out, /was removed/);
    const { db } = await platformCore(t, platform);
    const { items } = await db.events.list({ kinds: ['PoolCreated', 'PoolRemoved'] }, { limit: 10 });
    assert.deepEqual(
      items.map(({ kind, actorName, data }) => [kind, actorName, data.pool]),
      [
        ['PoolRemoved', 'System', 'boxes'],
        ['PoolCreated', 'System', 'boxes'],
      ],
    );
  });

  test('a pool whose engine is not in use does the others no harm', async () => {
    assert.equal((await say('pools', 'add', 'far', 'docker')).code, 0);
    const health = await fetch(`http://127.0.0.1:${platform.port}/healthz`);
    assert.equal(health.status, 200);
    assert.equal((await say('pools', 'remove', 'far')).code, 0);
  });

  test('nodes are added to pools that take some, and waiting for one says what is in the way', async () => {
    assert.equal((await say('nodes', 'list')).out, 'There are no nodes.\n');
    const refused = await say('nodes', 'add', 'tcp://10.0.0.1:2376');
    assert.match(refused.err, /the pool default runs on the platform's own machine and takes no nodes/);
    await say('pools', 'add', 'boxes', 'docker');
    const added = await say('nodes', 'add', 'tcp://10.0.0.1:2376', '--pool', 'boxes', '--metadata', 'zone=a b');
    assert.match(added.out, /was added to pool boxes and joins/);
    const wrong = await say('nodes', 'remove', 'tcp://10.0.0.1:2376', '--timeout', 'soon');
    assert.deepEqual([wrong.code, /--timeout is a number of seconds/.test(wrong.err)], [1, true]);
    const waited = await say('nodes', 'drain', 'tcp://10.0.0.1:2376', '--wait', '--timeout', '60');
    assert.deepEqual([waited.code, waited.out], [0, 'Node tcp://10.0.0.1:2376 is drained.\n']);
    const list = await say('nodes', 'list', '--pool', 'boxes');
    assert.match(list.out, /^ADDRESS\s+POOL\s+STATE\s+WANTED\s+INSTANCES\s+METADATA\s+MESSAGE\s+ID\n/);
    assert.match(
      list.out,
      /\ntcp:\/\/10\.0\.0\.1:2376\s+boxes\s+joining\s+drained\s+0\s+zone=a b\s+.*BERTH_DOCKER_HOST/,
    );
    const removed = await say('nodes', 'remove', 'tcp://10.0.0.1:2376', '--wait', '--timeout', '60');
    assert.equal(removed.out, 'Node tcp://10.0.0.1:2376 was removed.\n');
    const late = await say('nodes', 'add', 'unix:///nowhere.sock', '--pool', 'boxes', '--wait', '--timeout', '0');
    assert.equal(late.code, 1);
    assert.match(late.err, /not done after 0 s \(joining.*\); it goes on/);
    assert.equal((await say('nodes', 'remove', 'unix:///nowhere.sock', '--force')).code, 0);
    assert.equal((await say('pools', 'remove', 'boxes')).code, 0);
  });

  test('a pool or an app is evened out, not both', async () => {
    const { code, err } = await say('nodes', 'rebalance', '--pool', 'default', '--app', 'shop');
    assert.deepEqual([code, /a pool is evened out or an app in its own, not both/.test(err)], [1, true]);
  });

  test('a space is made in a pool, which then cannot go', async () => {
    await say('pools', 'add', 'boxes', 'docker');
    assert.equal((await say('spaces', 'add', 'models', '--pool', 'boxes', '--team', 'main')).code, 0);
    assert.match((await say('spaces', 'list')).out, /\nmodels\s+main\s+boxes\s+0\s+/);
    assert.match((await say('pools', 'remove', 'boxes')).err, /the pool still has spaces/);
    assert.match((await say('spaces', 'add', 'more', '--pool', 'none')).err, /pool "none" not found/);
    assert.match((await say('spaces', 'remove', 'models')).err, /space "models" not found/);
    assert.equal((await say('spaces', 'remove', 'models', '--team', 'main')).code, 0);
    assert.equal((await say('pools', 'remove', 'boxes')).code, 0);
  });

  test('a command that is wrong says how it is right', async () => {
    const none = await say('nodes', 'dance');
    assert.equal(none.code, 2);
    assert.match(none.err, /berth nodes drain NODE \[--wait/);
    const missing = await say('nodes', 'drain');
    assert.deepEqual([missing.code, missing.err.split('\n')[0]], [1, 'berth: NODE is missing']);
    assert.match((await say('nodes', 'drain', 'a', 'b')).err, /nothing is expected after the arguments/);
    assert.match((await say('nodes', 'drain', 'a', '--why')).err, /--why/);
    assert.match(
      (await say('nodes', 'add', 'tcp://a:1', '--tls', '/nowhere')).err,
      /--tls must be a folder with ca.pem/,
    );
    assert.match((await say('nodes', 'cordon', 'tcp://a:1')).err, /node "tcp:\/\/a:1" not found/);
    const help = await say('nodes', 'add', '--help');
    assert.deepEqual([help.code, /--metadata NAME=VALUE/.test(help.out)], [0, true]);
  });
});

test('where no platform runs nothing is made', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'berth-operate-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const said = await berth(join(folder, 'data'), 'pools', 'list');
  assert.equal(said.code, 1);
  assert.match(said.err, /no platform was started on .*BERTH_DATA/);
  assert.deepEqual(await readdir(folder), []);
});
