// test-timeout: 400
/** A pool of the docker engine beside an embedded default pool: each space's apps run where its pool says, with one router before both. */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { berth } from '../support/berth-command.ts';
import { createApp, deploy, untilRunning } from '../support/deploy.ts';
import { missingForDocker } from '../support/docker-daemon.ts';
import { startDockerPlatform } from '../support/docker-platform.ts';
import type { TestPlatform } from '../support/platform.ts';
import { ask } from '../support/request.ts';
import { until } from '../support/until.ts';

/** Tells whether it is in a container. */
const source = {
  'package.json': '{"name":"where","private":true}',
  Procfile: 'web: node server.js\n',
  'server.js': `const { existsSync } = require('node:fs');
const where = existsSync('/.dockerenv') ? 'container' : 'process';
require('node:http').createServer((_, response) => response.end(where)).listen(process.env.PORT);`,
};

interface NodeRow {
  readonly address: string;
  readonly poolName: string;
  readonly state: string;
  readonly isHome: boolean;
  readonly instances: number;
}

suite('two engines beside each other', { skip: missingForDocker() ?? false }, () => {
  const endings: (() => Promise<void>)[] = [];
  let platform: TestPlatform;
  const say = (...args: readonly string[]) => berth(platform.dataFolder, ...args);
  const nodes = async () => JSON.parse((await say('nodes', 'list', '--json')).out) as readonly NodeRow[];

  before(async () => {
    const started = await startDockerPlatform(
      { after: (work: () => Promise<void>) => void endings.push(work) },
      { environment: { BERTH_ENGINE: 'process' } },
    );
    platform = started.platform;
  });
  after(async () => {
    for (const end of endings.toReversed()) await end();
  });

  test('the daemon of the settings becomes a node with the first pool of its engine', async () => {
    assert.deepEqual(await nodes(), []);
    assert.equal((await say('pools', 'add', 'boxes', 'docker')).code, 0);
    const node = await until(
      'it is ready',
      async () => (await nodes()).find(({ state }) => state === 'ready'),
      60_000,
      500,
    );
    assert.deepEqual([node.poolName, node.isHome], ['boxes', true]);
    assert.match((await say('nodes', 'remove', node.address)).err, /can be drained, not removed/);
  });

  test('apps run where the pool of their space says', async () => {
    assert.equal((await say('spaces', 'add', 'boxed', '--pool', 'boxes')).code, 0);
    const [plain, boxed] = [await createApp(platform, 'plain'), await createApp(platform, 'where', 'boxed')];
    // What only containers could run is left alone where there are none.
    await deploy(platform, plain, { ...source, Dockerfile: 'FROM nowhere.invalid/nothing' });
    await deploy(platform, boxed, source);
    await untilRunning(platform, plain, 'web', 1);
    await untilRunning(platform, boxed, 'web', 1);
    const answers = [(await ask(platform, 'plain')).body, (await ask(platform, 'where-boxed')).body];
    assert.deepEqual(answers, ['process', 'container']);
    assert.equal((await nodes())[0]?.instances, 1);
  });
});
