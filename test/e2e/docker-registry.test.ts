// test-timeout: 420
/** Images of a registry with a password, through the public APIs of a platform on Docker. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import type { DockerApi } from '../../src/engines/docker/api/docker-api.ts';
import { run } from '../../src/lib/exec.ts';
import { type AppShape, appIs, type Swarm, swarmOf, unique, visit } from '../conformance/giantswarm/swarm.ts';
import { buildLog, createApp, endOfBuild, releaseOf, startBuild, untilRunning } from '../support/deploy.ts';
import { type DockerDaemon, missingForDocker, startDockerDaemon } from '../support/docker-daemon.ts';
import { dockerSettings } from '../support/docker-platform.ts';
import {
  insecureRegistries,
  missingForRegistry,
  startRegistry,
  type TestRegistry,
} from '../support/docker-registry.ts';
import { startPlatform, type TestPlatform } from '../support/platform.ts';
import { ask } from '../support/request.ts';
import { apiOf, publish } from '../support/small-image.ts';
import { until } from '../support/until.ts';

const missing = missingForDocker() ?? missingForRegistry();

suite('images of a registry over the wire', { skip: missing ?? false }, () => {
  let daemon: DockerDaemon;
  let guarded: TestRegistry;
  let platform: TestPlatform;
  let api: DockerApi;
  let swarm: Swarm;
  const endings: (() => Promise<void> | void)[] = [];

  before(async () => {
    daemon = await startDockerDaemon(insecureRegistries);
    endings.push(() => daemon.close());
    guarded = await startRegistry(daemon.hostAddress);
    endings.push(() => guarded.close());
    api = apiOf(daemon.host);
    endings.push(() => api.close());
    await publish(api, guarded, 'team/busybee:1', { version: 'one' });
    platform = await startPlatform(
      { after: (work: () => Promise<void>) => void endings.push(work) },
      { environment: { ...dockerSettings(daemon), BERTH_DOCKER_REGISTRIES: guarded.host } },
    );
    swarm = swarmOf(platform, platform.token);
  });
  after(async () => {
    for (const end of endings.reverse()) await end();
  });

  /** `berth registries …` on the platform's machine. */
  const registries = async (input: string, ...words: string[]): Promise<string> => {
    const script = join(import.meta.dirname, '../../src/main/berth.ts');
    const argv = [process.execPath, '--disable-warning=ExperimentalWarning', script, 'registries', ...words];
    const environment = { PATH: '/usr/bin:/bin', BERTH_DATA: platform.dataFolder };
    const result = await run([...argv, '--team', 'main'], { environment, timeoutMs: 60_000, input });
    assert.equal(result.code, 0, result.stderr);
    return result.stdout;
  };
  const bodies = async (domain: string, count: number): Promise<ReadonlySet<string>> =>
    new Set((await Promise.all(Array.from({ length: count }, () => visit(platform, domain)))).map(({ body }) => body));

  test('a component runs a private image once its organization signs in, by the digest of that moment', async () => {
    const name = unique('hive');
    const domain = `${name}.gigantic.io`;
    const path = `/org/main/env/dev/app/${name}`;
    const image = `${guarded.host}/team/busybee:1`;
    const component = { component_name: 'bee', image, ports: [80], domains: { [domain]: 80 } };
    await swarm('POST', '/org/main/env/dev/app/', {
      app_name: name,
      services: [{ service_name: 's', components: [component] }],
    });
    const refused = await swarm('POST', `${path}/start`);
    assert.deepEqual([refused.status, refused.json.status_code], [400, 10013]);
    assert.match(
      refused.json.status_text ?? '',
      /\["components"\]\[0\]\["image"\]: .*to strangers.*berth registries set/,
    );
    assert.equal(((await swarm('GET', `${path}/status`)).json.data as AppShape).status, 'down');

    const said = await registries(`${guarded.password}\n`, 'set', guarded.host, '--username', guarded.username);
    assert.equal(said, `main signs in to ${guarded.host} as ${guarded.username}.\n`);
    const shown = (await registries('', 'list')) + (await registries('', 'list', '--json'));
    assert.match(shown, new RegExp(`${guarded.host} +${guarded.username}`));
    assert.ok(!shown.includes(guarded.password));

    assert.equal((await swarm('POST', `${path}/start`)).json.status_code, 10004);
    await appIs(swarm, path, 'up');
    assert.deepEqual([...(await bodies(domain, 1))], ['version one args hello user 10001']);

    await publish(api, guarded, 'team/busybee:1', { version: 'two' });
    assert.equal((await swarm('POST', `${path}/service/s/component/bee/scaleup/2`)).json.status_code, 10006);
    await until(
      'three instances serve',
      async () => {
        const { services } = (await swarm('GET', `${path}/status`)).json.data as AppShape;
        return services[0]?.components[0]?.instances.filter(({ status }) => status === 'up').length === 3;
      },
      60_000,
    );
    assert.deepEqual([...(await bodies(domain, 12))], ['version one args hello user 10001']);

    const updated = await swarm('POST', `${path}/service/s/component/bee/version/1/update`, { strategy: 'one-by-one' });
    assert.equal(updated.json.status_code, 10006, updated.text);
    await until(
      'every instance is of the second version',
      async () => {
        const seen = await bodies(domain, 12);
        return seen.size === 1 && seen.has('version two args hello user 10001');
      },
      90_000,
    );
    await swarm('DELETE', path);
    await registries('', 'remove', guarded.host);
  });

  test('a docker:// build signs in as its address says, also when the image must be pulled again', async () => {
    const path = await createApp(platform, 'bee');
    const image = `${guarded.host}/team/busybee:1`;
    const stranger = await startBuild(platform, path, `docker://${image}`);
    assert.equal((await endOfBuild(platform, path, stranger.id)).status, 'failed');
    assert.match((await buildLog(platform, path, stranger.id)).join('\n'), /to strangers.*berth registries set/);

    const { username, password } = guarded;
    const signedIn = `docker://${username}:${encodeURIComponent(password)}@${image}`;
    const build = await startBuild(platform, path, signedIn);
    assert.equal((await endOfBuild(platform, path, build.id)).status, 'succeeded');
    assert.equal((await releaseOf(platform, path, build.id)).status, 'succeeded');
    assert.equal((await ask(platform, 'bee')).body, 'version two args hello user 10001');

    await platform.akkeris.patch(`${path}/formation`, [{ type: 'web', quantity: 0 }]);
    await untilRunning(platform, path, 'web', 0);
    await forget(api);
    await platform.akkeris.patch(`${path}/formation`, [{ type: 'web', quantity: 1 }]);
    await untilRunning(platform, path, 'web', 1);
    assert.equal((await ask(platform, 'bee')).body, 'version two args hello user 10001');

    const containers = await api.call<readonly { readonly Id: string }[]>('GET', '/containers/json', {
      query: { all: true },
    });
    const inspected = await Promise.all(containers.map(({ Id }) => api.call<object>('GET', `/containers/${Id}/json`)));
    const seen = [
      JSON.stringify(inspected),
      platform.output(),
      (await buildLog(platform, path, build.id)).join('\n'),
      JSON.stringify(await platform.akkeris.get(`${path}/builds`)),
      JSON.stringify(await platform.akkeris.get(`${path}/releases`)),
    ];
    for (const text of seen) assert.ok(!text.includes(password), text.slice(0, 2_000));
  });
});

/** Every image of the registry goes from the daemon; nothing may run of them. */
async function forget(api: DockerApi): Promise<void> {
  await until('the containers of the app are gone', async () => {
    const running = await api.call<readonly { readonly Image: string }[]>('GET', '/containers/json', {
      query: { all: true },
    });
    return running.every(({ Image }) => !Image.includes('busybee'));
  });
  const images = await api.call<readonly { readonly Id: string; readonly RepoDigests: readonly string[] | null }[]>(
    'GET',
    '/images/json',
  );
  const own = images.filter(({ RepoDigests }) => RepoDigests?.some((name) => name.includes('busybee')) === true);
  assert.ok(own.length > 0);
  for (const { Id } of own) await api.call('DELETE', `/images/${Id}`, { query: { force: true } });
}
