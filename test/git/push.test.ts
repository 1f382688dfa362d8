/** A real git against a whole platform, over HTTP and over SSH. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, suite, type TestContext, test } from 'node:test';
import { run } from '../../src/lib/exec.ts';
import { createApp, startBuild, untilRunning } from '../support/deploy.ts';
import { heldBuild, untilHeld } from '../support/held-build.ts';
import { startPlatform, type TestPlatform } from '../support/platform.ts';
import { ask } from '../support/request.ts';
import { versionedApp } from '../support/source.ts';
import { until } from '../support/until.ts';
import { type CoreBeside, coreBeside } from './support/core-of.ts';
import {
  type Machine,
  machine,
  missingProgram,
  objectsSent,
  type Repository,
  sshWith,
  systemPath,
} from './support/programs.ts';

const missing = await missingProgram('git', 'ssh', 'ssh-keygen');
const skip = missing === null ? false : `${missing} is not installed`;

/** By which the build is found among all processes of the machine. */
const mark = (): string => `until-${randomBytes(6).toString('hex')}`;
const marks = { told: mark(), killed: mark() };

suite('git push', { skip }, () => {
  const endings: (() => Promise<void>)[] = [];
  const scope = { after: (work: () => Promise<void>) => void endings.unshift(work) };
  let platform: TestPlatform;
  let beside: CoreBeside;
  let mine: Machine;
  let keyPath: string;
  before(async () => {
    platform = await startPlatform(scope);
    beside = await coreBeside(scope as Pick<TestContext, 'after'>, platform);
    mine = await machine(scope);
    const key = await mine.key('ed25519');
    keyPath = key.path;
    await beside.core.keys.add(beside.admin, { name: 'laptop', content: key.publicLine });
  });
  after(async () => {
    for (const end of endings) await end();
  });

  const http = (app: string, token = platform.token): string =>
    `http://x:${token}@127.0.0.1:${platform.port}/git/${app}.git`;
  const ssh = (app: string): string => `ssh://git@127.0.0.1:${platform.port + 22}/${app}.git`;
  const withKey = (path = keyPath): Record<string, string> => ({
    GIT_SSH_COMMAND: sshWith(mine.folder, path).join(' '),
  });

  /** A web app with a history of 20 commits. */
  async function history(name: string): Promise<Repository> {
    const repository = await mine.repository(name);
    for (let count = 1; count < 20; count += 1)
      await repository.commit(`step ${count}`, { 'notes.txt': `${count}\n`.repeat(count) });
    await repository.commit('first version', versionedApp('1', name));
    return repository;
  }
  const tip = async (repository: Repository, address: string): Promise<string> =>
    (await repository.attempt(['ls-remote', address, 'refs/heads/main'], withKey())).stdout.split('\t')[0] ?? '';
  const versionOf = async (app: string): Promise<string> =>
    (JSON.parse((await ask(platform, app)).body) as { version: string }).version;

  for (const [door, address] of [
    ['http', http],
    ['ssh', ssh],
  ] as const) {
    test(`${door}: a repository with history is deployed, the second push sends only what is new, a clone gives it back`, async () => {
      const app = `twice${door}`;
      const path = await createApp(platform, app);
      const repository = await history(app);
      const first = await repository.attempt(['push', '--progress', address(app), 'main'], withKey());
      assert.equal(first.code, 0, first.stderr);
      assert.match(first.stderr, /remote: -----> Node\.js app detected/);
      assert.match(
        first.stderr,
        new RegExp(`remote: -----> v1 of ${app} runs *\\nremote: {8}http://${app}\\.berth\\.localhost`),
      );
      assert.equal(objectsSent(first.stderr), 62, '20 commits, 20 trees, 22 files');
      await untilRunning(platform, path, 'web', 1);
      assert.equal(await versionOf(app), '1');

      const commit = await repository.commit('second version', versionedApp('2', app));
      const second = await repository.attempt(['push', '--progress', address(app), 'main'], withKey());
      assert.equal(second.code, 0, second.stderr);
      assert.equal(objectsSent(second.stderr), 3, 'a commit, a tree and a file');
      assert.equal(await versionOf(app), '2', 'it serves when the push has ended');
      assert.equal(await tip(repository, address(app)), commit);

      const builds = await platform.akkeris.get<readonly { sha?: string; repo?: string }[]>(`${path}/builds`);
      assert.ok(JSON.stringify(builds).includes(commit), 'the build names its commit');
      const clone = await mine.run(['git', 'clone', '--quiet', address(app), `clone-${app}`], withKey());
      assert.equal(clone.code, 0, clone.stderr);
      const log = await mine.run(['git', '-C', `clone-${app}`, 'log', '--format=%H']);
      assert.deepEqual([log.stdout.split('\n')[0], log.stdout.trim().split('\n').length], [commit, 21]);
    });
  }

  test('a build that fails refuses the push with its reason, and the same commit may be pushed again', async () => {
    const path = await createApp(platform, 'failing');
    const repository = await mine.repository('failing');
    const good = await repository.commit('good', versionedApp('1', 'failing'));
    await repository.git('push', http('failing'), 'main');
    const broken = {
      name: 'broken',
      private: true,
      scripts: { build: "node -e 'console.log(41+1); process.exit(3)'" },
    };
    await repository.commit('bad', { 'package.json': JSON.stringify(broken) });
    for (const number of [2, 3]) {
      const refused = await repository.attempt(['push', http('failing'), 'main']);
      assert.notEqual(refused.code, 0);
      assert.match(refused.stderr, new RegExp(`remote: -----> Build ${number} of failing`));
      assert.match(refused.stderr, /remote: .*42/, 'the output of the build');
      assert.match(refused.stderr, /remote: {2}! {5}\S+/, 'the reason');
      assert.match(refused.stderr, /! \[remote rejected\] main -> main \(pre-receive hook declined\)/);
      assert.equal(await tip(repository, http('failing')), good, 'the branch did not move');
    }
    await untilRunning(platform, path, 'web', 1);
    assert.equal(await versionOf('failing'), '1', 'what ran goes on');
    await repository.commit('mended', {
      'package.json': '{"name":"mended","private":true}',
      'server.js': versionedApp('2', 'failing')['server.js'] ?? '',
    });
    await repository.git('push', http('failing'), 'main');
    assert.equal(await versionOf('failing'), '2');
  });

  test('an app that does not start refuses the push', async () => {
    await createApp(platform, 'crashing');
    const repository = await mine.repository('crashing');
    await repository.commit('bad', { ...versionedApp('1', 'crashing'), 'server.js': 'process.exit(7);\n' });
    const refused = await repository.attempt(['push', ssh('crashing'), 'main'], withKey());
    assert.notEqual(refused.code, 0);
    assert.match(refused.stderr, /remote: -----> Release v1: starting it/);
    assert.match(refused.stderr, /remote: {2}! {5}.*\n.*remote: {2}! {5}The push is refused/);
    assert.equal(await tip(repository, ssh('crashing')), '');
  });

  test('only main and master are deployed, forced pushes too, and neither can be deleted', async () => {
    await createApp(platform, 'branches');
    const repository = await mine.repository('branches');
    await repository.commit('one', versionedApp('1', 'branches'));
    for (const refs of [['main:feature'], ['main', 'main:feature'], ['main', 'main:master'], ['main:refs/tags/v1']]) {
      const refused = await repository.attempt(['push', http('branches'), ...refs]);
      assert.notEqual(refused.code, 0, refs.join(' '));
      assert.match(refused.stderr, /remote: {2}! {5}(?:Only the branches main and master|Push main or master)/);
    }
    await repository.git('tag', '-a', 'v1', '-m', 'tagged');
    await repository.git('push', http('branches'), 'main:master', 'v1');
    await repository.git('commit', '--amend', '--quiet', '-m', 'another one');
    assert.notEqual(
      (await repository.attempt(['push', http('branches'), 'main:master'])).code,
      0,
      'not a fast-forward',
    );
    await repository.git('push', '--force', http('branches'), 'main:master');
    const gone = await repository.attempt(['push', '--delete', http('branches'), 'master']);
    assert.notEqual(gone.code, 0);
    assert.match(gone.stdout + gone.stderr, /deleted|deletion prohibited/);
  });

  test('nobody, strangers and unknown keys get nowhere; another team’s app is not there', async () => {
    await createApp(platform, 'private');
    const repository = await mine.repository('private');
    await repository.commit('one', versionedApp('1', 'private'));
    const stranger = await beside.person('stranger');
    const other = await machine(scope);
    const [strange, unknown] = [await other.key('ecdsa'), await other.key('ed25519')];
    await beside.core.keys.add(stranger.actor, { name: 'k', content: strange.publicLine });

    const push = (to: string, key?: string) => repository.attempt(['push', to, 'main'], withKey(key));
    const seen = {
      wrongToken: await push(http('private', 'no-token-of-anybody-here')),
      strangerHttp: await push(http('private', stranger.token)),
      nothingHttp: await push(http('nothing', stranger.token)),
      strangerSsh: await push(ssh('private'), strange.path),
      nothingSsh: await push(ssh('nothing'), strange.path),
      unknownKey: await push(ssh('private'), unknown.path),
      strangerFetch: await repository.attempt(['ls-remote', http('private', stranger.token)]),
    };
    for (const [name, result] of Object.entries(seen)) assert.notEqual(result.code, 0, name);
    assert.match(seen.wrongToken.stderr, /Authentication failed/);
    assert.match(seen.strangerHttp.stderr, /app "private" not found/);
    assert.equal(
      seen.strangerHttp.stderr.replaceAll('private', 'nothing'),
      seen.nothingHttp.stderr,
      'as if it were not there',
    );
    assert.match(seen.strangerSsh.stderr, /app "private" not found/);
    assert.equal(seen.strangerSsh.stderr.replaceAll('private', 'nothing'), seen.nothingSsh.stderr);
    assert.match(seen.unknownKey.stderr, /Permission denied \(publickey\)/);
    assert.doesNotMatch(JSON.stringify(seen), /[0-9a-f]{8}-[0-9a-f]{4}-4/, 'no ids of what is not theirs');
  });

  test('a second push while one is under way is refused; the first goes on although its client left', async () => {
    await createApp(platform, 'busy');
    const repository = await mine.repository('busy');
    await repository.commit('slow', heldBuild(versionedApp('1', 'busy'), marks.told));
    const leaving = new AbortController();
    const left = repositoryPush(repository, http('busy'), leaving.signal);
    const goOn = await untilHeld(marks.told);
    const second = await repository.attempt(['push', http('busy'), 'main']);
    assert.notEqual(second.code, 0);
    assert.match(second.stderr, /another push of busy is being deployed/);
    leaving.abort();
    await left;
    goOn();
    await until('the branch has moved', async () => (await tip(repository, http('busy'))) !== '', 60_000);
    assert.equal(await versionOf('busy'), '1');
  });

  test('an app’s repository goes with the app', async () => {
    const path = await createApp(platform, 'leaving');
    const repository = await mine.repository('leaving');
    await repository.commit('one', versionedApp('1', 'leaving'));
    await repository.git('push', http('leaving'), 'main');
    const count = async (): Promise<number> => (await readdir(join(platform.dataFolder, 'git/repositories'))).length;
    const had = await count();
    await platform.akkeris.delete(path);
    await until('the repository is gone', async () => (await count()) === had - 1);
  });

  test('the password of an account works as well as a token, and a build by another door goes on beside', async () => {
    const path = await createApp(platform, 'mixed');
    const repository = await mine.repository('mixed');
    await repository.commit('one', versionedApp('1', 'mixed'));
    await repository.git('push', `http://admin:${platform.password}@127.0.0.1:${platform.port}/git/mixed`, 'main');
    await startBuild(platform, path, versionedApp('2', 'mixed'));
    await until('the other version runs', async () => (await versionOf('mixed')) === '2', 60_000);
  });

  test('a server that is killed during a push fails it; pushed again, it is deployed', async () => {
    await createApp(platform, 'killed');
    const repository = await mine.repository('killed');
    await repository.commit('slow', heldBuild(versionedApp('1', 'killed'), marks.killed));
    const failing = repository.attempt(['push', ssh('killed'), 'main'], withKey());
    const goOn = await untilHeld(marks.killed);
    const before = await until('the server is there', () => platform.pidOf('server'));
    process.kill(before, 'SIGKILL');
    assert.notEqual((await failing).code, 0);
    goOn();
    await until('another server is there', async () => ![null, before].includes(await platform.pidOf('server')));
    // The build of the first push goes on; that push keeps its place until its lease has run out.
    const commit = await repository.commit('quick', { 'package.json': '{"name":"killed","private":true}' });
    await until(
      'the second push is taken',
      async () => (await repository.attempt(['push', ssh('killed'), 'main'], withKey())).code === 0,
      60_000,
      500,
    );
    assert.equal(await tip(repository, ssh('killed')), commit);
    assert.equal(await versionOf('killed'), '1');
  });
});

async function repositoryPush(repository: Repository, address: string, signal: AbortSignal): Promise<void> {
  await run(['git', '-C', repository.path, 'push', address, 'main'], {
    environment: { PATH: systemPath, HOME: repository.path },
    timeoutMs: 100_000,
    signal,
  });
}
