// test-timeout: 300
/** A platform on Docker as people start it: the sample is built in the agent's sandbox and serves from a container. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run } from '../../src/lib/exec.ts';
import { missingForDocker } from '../support/docker-daemon.ts';
import { startDockerPlatform } from '../support/docker-platform.ts';
import { ask } from '../support/request.ts';

test('the sample app serves from a container, and nothing is left when the platform ends', async (t) => {
  const missing = missingForDocker();
  if (missing !== null) return t.skip(missing);
  const { daemon, platform } = await startDockerPlatform(t, { sample: true });
  const answer = await ask(platform, 'hello');
  assert.equal(answer.status, 200);
  assert.match(platform.output(), /isolation +user, files, processes, network, memory, cpu, pids/);
  const containers = async (): Promise<string> => {
    const argv = ['curl', '-sf', '--unix-socket', daemon.host.slice(7), 'http://docker/v1.41/containers/json?all=1'];
    return (await run(argv, { environment: { PATH: '/usr/bin:/bin' }, timeoutMs: 60_000 })).stdout;
  };
  assert.match(await containers(), /berth-app:/);
  await platform.stop();
  assert.equal((await containers()).trim(), '[]', platform.output().slice(-2_000));
});
