// test-timeout: 300
/** A large push flows through the server: its memory does not grow by it. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { type TestContext, test } from 'node:test';
import { createApp } from '../support/deploy.ts';
import { startPlatform, type TestPlatform } from '../support/platform.ts';
import { until } from '../support/until.ts';
import { coreBeside } from './support/core-of.ts';
import { machine, missingProgram, sshWith } from './support/programs.ts';

const missing = await missingProgram('git', 'ssh', 'ssh-keygen');
const MEBIBYTE = 1024 * 1024;
const SIZE = 120 * MEBIBYTE;
/** What pieces Node lets pile up before it collects them, here and in the build: as much for a larger push, and less than this one. */
const GROWTH_MAX = 105 * MEBIBYTE;

// Each on a fresh server: memory that it has had once would hide what it takes the second time.
for (const door of ['http', 'ssh'] as const) {
  test(`120 MB over ${door}`, { skip: missing === null ? false : `${missing} is not installed` }, async (t) => {
    const platform = await startPlatform(t);
    const beside = await coreBeside(t, platform);
    const mine = await machine(t);
    const key = await mine.key('ed25519');
    await beside.core.keys.add(beside.admin, { name: 'laptop', content: key.publicLine });
    const environment = { GIT_SSH_COMMAND: sshWith(mine.folder, key.path).join(' ') };
    await createApp(platform, 'large');
    const address =
      door === 'http'
        ? `http://x:${platform.token}@127.0.0.1:${platform.port}/git/large.git`
        : `ssh://git@127.0.0.1:${platform.port + 22}/large.git`;
    const repository = await mine.repository('large');
    await repository.git('config', 'core.compression', '0');
    const push = async (): Promise<void> => {
      const result = await repository.attempt(['push', address, 'main'], environment);
      assert.equal(result.code, 0, result.stderr);
    };
    // What a server needs for any push at all does not count.
    await repository.commit('small', { 'index.html': '<h1>large</h1>' });
    await push();
    await repository.commit('large', { 'large.bin': randomBytes(SIZE) });
    const grown = await growth(t, platform, push);
    assert.ok(grown < GROWTH_MAX, `the server grew by ${Math.round(grown / MEBIBYTE)} MiB`);
  });
}

/** By how many bytes the server's largest resident size during the work is over that before it. */
async function growth(t: TestContext, platform: TestPlatform, work: () => Promise<void>): Promise<number> {
  const pid = await until('the server is there', () => platform.pidOf('server'));
  const resident = async (): Promise<number> => {
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024;
  };
  const before = await resident();
  let most = before;
  let over = false;
  const watching = (async () => {
    while (!over) {
      most = Math.max(most, await resident());
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  })();
  const started = performance.now();
  await work();
  const seconds = (performance.now() - started) / 1_000;
  over = true;
  await watching;
  t.diagnostic(`${Math.round(before / MEBIBYTE)} → ${Math.round(most / MEBIBYTE)} MiB in ${seconds.toFixed(1)} s`);
  return most - before;
}
