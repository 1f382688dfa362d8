// test-timeout: 240
/** The documents' own walk: an app from its definition to its end, each answer and each effect. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startPlatform } from '../../support/platform.ts';
import { versionedApp } from '../../support/source.ts';
import { until } from '../../support/until.ts';
import { type AppShape, appIs, buildImage, type ComponentShape, type Reply, swarmOf, unique, visit } from './swarm.ts';

const codeOf = ({ status, json }: Reply): readonly [number, number | undefined, string | undefined] => [
  status,
  json.status_code,
  json.status_text,
];

test('an application: create, start, scale, update, stop, delete', async (t) => {
  const platform = await startPlatform(t);
  const swarm = swarmOf(platform, platform.token);
  const image = await buildImage(platform, unique('web'), {
    '1.0': versionedApp('one', 'walk'),
    '2.0': versionedApp('two', 'walk'),
  });
  const domain = `${unique('walk-')}.gigantic.io`;
  const definition = {
    app_name: 'helloworld',
    services: [
      {
        service_name: 'webserver',
        components: [
          {
            component_name: 'flask',
            image: `${image}:1.0`,
            ports: [5000],
            env: { GREETING: "it's $HOME" },
            domains: { [domain]: 5000 },
          },
        ],
      },
    ],
  };
  const environment = '/org/main/env/dev';
  const app = `${environment}/app/helloworld`;
  const component = `${app}/service/webserver/component/flask`;

  assert.deepEqual((await swarm('GET', `${environment}/app/`)).json.data, []);
  assert.deepEqual(codeOf(await swarm('POST', `${environment}/app/`, definition)), [200, 10003, 'resource created']);
  assert.deepEqual(codeOf(await swarm('POST', `${environment}/app/`, definition)), [
    400,
    10009,
    'resource already exists',
  ]);
  const listed = (await swarm('GET', `${environment}/app/`)).json.data as Record<string, string>[];
  assert.equal(listed.length, 1);
  const { created, ...row } = listed[0] ?? {};
  assert.deepEqual(row, { app: 'helloworld', company: 'main', env: 'dev', org: 'main' });
  assert.match(created ?? '', /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
  assert.deepEqual((await swarm('GET', '/org/main/env/')).json.data, {
    environments: [{ name: 'default' }, { name: 'dev' }],
  });
  assert.deepEqual((await swarm('GET', `${app}/config`)).json.data, {
    ...definition,
    services: [
      {
        service_name: 'webserver',
        components: [
          {
            component_name: 'flask',
            image: `${image}:1.0`,
            ports: [5000],
            env: ["GREETING=it's $HOME"],
            domains: { [domain]: 5000 },
          },
        ],
      },
    ],
  });

  const before = (await swarm('GET', `${app}/status`)).json.data as AppShape;
  assert.equal(before.status, 'down');
  const [first] = before.services[0]?.components[0]?.instances ?? [];
  assert.match(first?.id ?? '', /^[a-z0-9]{12}$/);
  assert.equal(first?.image_hash, '');
  await until('the router knows it', async () => (await visit(platform, domain)).status === 503);

  assert.deepEqual(codeOf(await swarm('POST', `${app}/start`)), [200, 10004, 'resource started']);
  const up = await appIs(swarm, app, 'up');
  const [running] = up.services[0]?.components[0]?.instances ?? [];
  assert.equal(running?.id, first?.id);
  assert.match(running?.image_hash ?? '', /^[0-9a-f]{64}$/);
  assert.equal(running?.image, `${image}:1.0`);
  assert.equal(JSON.parse((await visit(platform, domain)).body).version, 'one');
  assert.equal(JSON.parse((await visit(platform, platform.hostOf('helloworld-dev'))).body).version, 'one');

  assert.deepEqual(codeOf(await swarm('POST', `${component}/scaleup/2`)), [200, 10006, 'resource updated']);
  const scaled = await appIs(swarm, app, 'up');
  assert.equal(scaled.services[0]?.components[0]?.instances.length, 3);
  const seen = new Set<string>();
  await until('all three instances answer', async () => {
    seen.add(JSON.parse((await visit(platform, domain)).body).instance);
    return seen.size === 3;
  });
  const tooMany = await swarm('POST', `${component}/scaleup/20`);
  assert.deepEqual([tooMany.status, tooMany.json.status_code], [400, 10013]);
  assert.match(tooMany.json.status_text ?? '', /^wrong input: /);
  assert.equal((await swarm('POST', `${component}/scaledown/2`)).status, 200);
  assert.equal((await swarm('POST', `${component}/scaledown/1`)).status, 200);
  const shape = await until('one instance is left', async () => {
    const found = (await swarm('GET', `${component}/status`)).json.data as ComponentShape & {
      components: readonly ComponentShape[];
    };
    return found.instances.length === 1 ? found : null;
  });
  assert.deepEqual(shape.components[0]?.instances, shape.instances);

  for (const strategy of ['one-by-one', 'all-at-once', 'hot-swap'] as const) {
    const tag = strategy === 'all-at-once' ? '1.0' : '2.0';
    assert.deepEqual(codeOf(await swarm('POST', `${component}/version/${tag}/update`, { strategy })), [
      200,
      10006,
      'resource updated',
    ]);
    const wanted = tag === '2.0' ? 'two' : 'one';
    await until(`${strategy} brings ${tag}`, async () => {
      const answer = await visit(platform, domain);
      return answer.status === 200 && JSON.parse(answer.body).version === wanted;
    });
    // While a hot swap ends, the former one is shown beside it.
    await until(`${strategy} leaves ${tag} alone`, async () => {
      const { services } = await appIs(swarm, app, 'up');
      const images = services[0]?.components[0]?.instances.map((instance) => instance.image);
      return images?.length === 1 && images[0] === `${image}:${tag}`;
    });
  }
  const unknownStrategy = await swarm('POST', `${component}/version/2.0/update`, { strategy: 'canary' });
  assert.deepEqual([unknownStrategy.status, unknownStrategy.json.status_code], [400, 10013]);
  const unknownTag = await swarm('POST', `${component}/version/9.9/update`);
  assert.deepEqual([unknownTag.status, unknownTag.json.status_code], [400, 10013]);

  const service = `${app}/service/webserver`;
  assert.deepEqual(codeOf(await swarm('POST', `${service}/stop`)), [200, 10004, 'resource stopped']);
  const ids = (await appIs(swarm, app, 'down')).services[0]?.components[0]?.instances.map(({ id }) => id);
  assert.equal((await visit(platform, domain)).status, 503);
  assert.deepEqual(codeOf(await swarm('POST', `${service}/start`)), [200, 10004, 'resource started']);
  const again = await appIs(swarm, app, 'up');
  assert.deepEqual(
    again.services[0]?.components[0]?.instances.map(({ id }) => id),
    ids,
  );
  assert.deepEqual(codeOf(await swarm('POST', `${app}/stop`)), [200, 10005, 'resource stopped']);
  await appIs(swarm, app, 'down');

  assert.deepEqual(codeOf(await swarm('DELETE', app)), [200, 10007, 'resource deleted']);
  assert.equal((await swarm('DELETE', app)).status, 404);
  assert.deepEqual(codeOf(await swarm('GET', `${app}/status`)), [400, 10008, 'resource not found']);
  assert.deepEqual((await swarm('GET', `${environment}/app/`)).json.data, []);
  assert.deepEqual((await swarm('GET', '/org/main/env/')).json.data, { environments: [{ name: 'default' }] });
  assert.equal((await swarm('POST', `${environment}/app/`, definition)).json.status_code, 10003, 'its name is free');
});
