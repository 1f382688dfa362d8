// test-timeout: 420
/** Sources with a Dockerfile, over the wire: built by Docker, served by the router, and never in the way of what serves already. */
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { after, before, suite, test } from 'node:test';
import type { DockerApi } from '../../src/engines/docker/api/docker-api.ts';
import { publishBase } from '../support/base-image.ts';
import { buildLog, createApp, deploy, endOfBuild, patiently, startBuild, untilRunning } from '../support/deploy.ts';
import { type DockerDaemon, missingForDocker } from '../support/docker-daemon.ts';
import { startDockerPlatform } from '../support/docker-platform.ts';
import { missingForRegistry } from '../support/docker-registry.ts';
import type { TestPlatform } from '../support/platform.ts';
import { processesWith } from '../support/processes.ts';
import { ask } from '../support/request.ts';
import { apiOf } from '../support/small-image.ts';
import { command } from '../support/system-command.ts';
import { until } from '../support/until.ts';

suite('Dockerfiles over the wire', { skip: missingForDocker() ?? missingForRegistry() ?? false }, () => {
  const endings: (() => Promise<void> | void)[] = [];
  let platform: TestPlatform;
  let daemon: DockerDaemon;
  let api: DockerApi;
  let base: string;

  before(async () => {
    const started = await startDockerPlatform(
      { after: (work: () => Promise<void>) => void endings.push(work) },
      { environment: { BERTH_DOCKER_REGISTRIES: '127.0.0.1:5000' } },
    );
    ({ platform, daemon } = started);
    api = apiOf(daemon.host);
    endings.push(() => api.close());
    const stack = await until('the image under all apps is there', () => stackReference(), 120_000);
    const published = await publishBase(daemon, api, stack);
    endings.push(() => published.close());
    base = published.reference;
  });
  after(async () => {
    for (const end of endings.reverse()) await end();
  });

  const stackReference = async (): Promise<string | null> => {
    const found = await api.call<readonly { RepoTags: readonly string[] | null }[]>('GET', '/images/json');
    return found.flatMap(({ RepoTags }) => RepoTags ?? []).find((tag) => tag.startsWith('berth-stack:')) ?? null;
  };
  const dockerfile = (...lines: readonly string[]): string => [`FROM ${base}`, ...lines, ''].join('\n');
  /** Listens where it always does, whatever PORT says. */
  const site = (version: string, port: number) => ({
    Dockerfile: dockerfile(
      'ENV PATH=/opt/berth/node/bin:/usr/bin:/bin',
      'WORKDIR /srv',
      'COPY server.js ./',
      'RUN --mount=type=secret,id=GREETING cut -c1-3 /run/secrets/GREETING > greeting',
      `EXPOSE ${port}`,
      'CMD ["node", "server.js"]',
    ),
    '.dockerignore': '*.md\n',
    'README.md': 'not for the image',
    'server.js': `const { existsSync, readFileSync } = require('node:fs');
const said = () => ['${version}', readFileSync('greeting', 'utf8').trim(), process.env.GREETING, process.env.PORT, process.getuid(), existsSync('README.md')];
const server = require('node:http').createServer((_, response) => response.end(said().join(' ')));
server.listen(${port});
process.on('SIGTERM', () => server.close(() => process.exit(0)));
`,
  });

  test('is built, released and served on the port that it exposes; a change rolls; a Procfile adds to it', async () => {
    const path = await createApp(platform, 'harbour');
    await platform.akkeris.patch(`${path}/config-vars`, { GREETING: 'hello' });
    const first = await deploy(platform, path, site('one', 3_000));
    assert.equal(first.release.status, 'succeeded');
    assert.equal((await ask(platform, 'harbour')).body, 'one hel hello 3000 10001 false');
    const log = (await buildLog(platform, path, first.build.id)).join('\n');
    assert.match(log, /-----> Dockerfile found: building an image/);
    assert.match(log, /#\d+ \[\d\/\d\] COPY server.js/);
    assert.match(log, /Process types -> web/);
    assert.match(log, /image:sha256:[0-9a-f]{64}/);
    const second = await deploy(platform, path, {
      ...site('two', 4_000),
      Procfile: 'worker: node -e "setInterval(() => {}, 1000)"\n',
    });
    assert.equal(second.release.status, 'succeeded');
    assert.equal((await ask(platform, 'harbour')).body, 'two hel hello 4000 10001 false');
    await platform.akkeris.post(`${path}/formation`, { type: 'worker', quantity: 1, size: 'gp1', port: null });
    await untilRunning(platform, path, 'worker', 1);
    // Back to the first by its image.
    await platform.akkeris.post(`${path}/releases`, { release: first.release.id });
    await until('the first serves again', async () =>
      (await ask(platform, 'harbour')).body.startsWith('one hel hello 3000'),
    );
  });

  test('a failing step fails the build with its lines in the log', async () => {
    const path = await createApp(platform, 'leaky');
    const { id } = await startBuild(platform, path, { Dockerfile: dockerfile('RUN echo it leaks >&2; exit 3') });
    assert.equal((await endOfBuild(platform, path, id)).status, 'failed');
    const log = (await buildLog(platform, path, id)).join('\n');
    assert.match(log, /#\d+ it leaks/);
    assert.match(log, / ! +.*exit code: 3 \(compile\)/);
  });

  test('a cancelled build ends what its step runs', async () => {
    const path = await createApp(platform, 'becalmed');
    const mark = `${randomInt(10_000, 99_999)}.25`;
    const running = async (): Promise<number> => (await processesWith(mark)).length;
    const { id } = await startBuild(platform, path, { Dockerfile: dockerfile(`RUN sleep ${mark}`) });
    await until('the step runs', async () => (await running()) > 0, 60_000);
    await platform.akkeris.delete(`${path}/builds/${id}`);
    await until('no process of it is left', async () => (await running()) === 0);
  });

  test('a build whose server is killed is carried through by the next one, once', async () => {
    const path = await createApp(platform, 'steadfast');
    const mark = `24.${randomInt(10_000, 99_999)}`;
    const running = async (): Promise<number> => (await processesWith(mark)).length;
    const { id } = await startBuild(platform, path, {
      Dockerfile: dockerfile(`RUN sleep ${mark}`, 'CMD ["sleep", "1000"]'),
    });
    await until('the step runs', async () => (await running()) > 0, 60_000);
    const server = await platform.pidOf('server');
    assert.ok(server !== null);
    process.kill(server, 'SIGKILL');
    await until('its step ended with it', async () => (await running()) === 0, 20_000);
    let most = 0;
    const ended = patiently(() => endOfBuild(platform, path, id));
    await until('it runs again', async () => (await running()) > 0, 60_000);
    const watch = setInterval(async () => {
      most = Math.max(most, await running());
    }, 100);
    try {
      assert.equal((await ended).status, 'succeeded');
    } finally {
      clearInterval(watch);
    }
    assert.equal(most, 1, 'one step at a time');
    assert.equal(await running(), 0);
    const tags = await api.call<readonly { RepoTags: readonly string[] | null }[]>('GET', '/images/json');
    assert.equal(tags.filter(({ RepoTags }) => RepoTags?.includes(`berth-build:${id}`)).length, 1);
  });

  test('the firewall around builds is there with the first of them, and goes with the platform', async () => {
    const rules = (): Promise<string> =>
      command('nsenter', `--net=/run/netns/${daemon.namespace}`, '--', 'iptables-save');
    assert.match(await rules(), /-A INPUT -i docker0 -j BERTH-\w+-bin/);
    await platform.stop();
    assert.doesNotMatch(await rules(), /BERTH-\w+-b(?:in|fw)/);
  });
});
