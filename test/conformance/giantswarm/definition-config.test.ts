/** What `GET config` shows: the definition as it is stored, with later tags, or one made up for an app that has none. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BerthError } from '../../../src/core/errors.ts';
import { withImageTags } from '../../../src/dialects/giantswarm/definition/image-tags.ts';
import { parseDefinition } from '../../../src/dialects/giantswarm/definition/parse-definition.ts';
import { synthesise } from '../../../src/dialects/giantswarm/definition/synthesise.ts';
import { sample } from './variables.ts';

/** As text, because the order of keys counts. */
const shown = (definition: unknown): string => JSON.stringify(parseDefinition(definition).definition);

test('shows all keys in their order, sizes and env normalised, ports and domains as given', () => {
  assert.equal(
    shown(JSON.parse(sample('synthetic-v1-all-keys.json'))),
    JSON.stringify({
      app_name: 'allkeys',
      services: [
        {
          service_name: 'web',
          scaling_policy: { max: 5 },
          components: [
            {
              component_name: 'app',
              scaling_policy: { min: 2, max: 10 },
              image: 'registry.giantswarm.io/bantic/app:1.0',
              entrypoint: '/bin/app',
              ports: ['8080/tcp', 9090, '9091'],
              env: ['A=1', 'B=2'],
              volumes: [{ path: '/data/', size: '10 GB' }],
              args: ['--port', '8080'],
              domains: { 'allkeys.gigantic.io': 8080, 'www.example.com': '8080/tcp' },
              dependencies: [
                { name: 'cache', port: '6379/tcp', same_machine: true },
                { name: 'db/pg', port: 5432, alias: 'postgres' },
              ],
              pod: 'apppod',
            },
            {
              component_name: 'cache',
              scaling_policy: { min: 2 },
              image: 'redis',
              ports: ['6379'],
              volumes: [{ 'volumes-from': 'app' }],
              pod: 'apppod',
            },
          ],
        },
        {
          service_name: 'db',
          components: [
            {
              component_name: 'pg',
              image: 'postgres:9.4',
              ports: [5432],
              env: ['POSTGRES_PASSWORD=REDACTED'],
              volumes: [{ path: '/var/lib/postgresql/data', size: '4 GB' }],
            },
          ],
        },
      ],
    }),
  );
});

test('leaves out what is empty, keeps old keys, and a list of variables as it is', () => {
  const definition = {
    services: [
      {
        public_ports: { '80': 'x' },
        components: [
          {
            env: ['B=1', 'A=2'],
            args: [],
            domains: {},
            volumes: [],
            dependencies: [],
            image: 'redis',
            component_name: 'a',
          },
        ],
        scaling_policy: {},
        service_name: 's',
      },
    ],
    public_ports: { b: '1', a: '2' },
    app_name: 'shop',
  };
  assert.equal(
    shown(definition),
    JSON.stringify({
      app_name: 'shop',
      public_ports: { a: '2', b: '1' },
      services: [
        {
          service_name: 's',
          public_ports: { '80': 'x' },
          components: [{ component_name: 'a', image: 'redis', env: ['B=1', 'A=2'] }],
        },
      ],
    }),
  );
});

test('maps are shown in the order of their keys', () => {
  const names = { 'b.example.com': 80, 'a.example.com': '80/tcp' };
  const component = { component_name: 'a', image: 'redis', ports: 80, domains: names };
  assert.equal(
    shown({ app_name: 'a', services: [{ service_name: 's', components: [component] }] }),
    '{"app_name":"a","services":[{"service_name":"s","components":[{"component_name":"a","image":"redis","ports":[80],' +
      '"domains":{"a.example.com":"80/tcp","b.example.com":80}}]}]}',
  );
});

test('the later format is shown without wrapper and alias', () => {
  const definition = {
    definition: { nodes: { b: { image: 'redis', ports: 80 }, a: { image: 'redis', pod: 'none' } }, name: 'n' },
  };
  assert.equal(
    shown(definition),
    JSON.stringify({
      name: 'n',
      components: { a: { image: 'redis', pod: 'none' }, b: { image: 'redis', ports: [80] } },
    }),
  );
});

test('later tags replace those of the images, and nothing else', () => {
  const v1 = parseDefinition(JSON.parse(sample('synthetic-v1-all-keys.json')));
  const tagged = JSON.stringify(
    withImageTags(
      v1,
      new Map([
        ['web/app', '2.0'],
        ['web/cache', 'latest'],
        ['x/y', '9'],
      ]),
    ),
  );
  const wanted = JSON.stringify(v1.definition)
    .replace('bantic/app:1.0', 'bantic/app:2.0')
    .replace('"redis"', '"redis:latest"');
  assert.equal(tagged, wanted);
  assert.equal(withImageTags(v1, new Map()), v1.definition);

  const v2 = parseDefinition({ components: { a: { image: 'redis' }, 'b/c/d': { image: 'host:5000/web:1' } } });
  const tags = new Map(v2.components.map(({ type }, index) => [type, `t${index}`]));
  assert.deepEqual(withImageTags(v2, tags), {
    components: { a: { image: 'redis:t0' }, 'b/c/d': { image: 'host:5000/web:t1' } },
  });
  assert.throws(() => withImageTags(v2, new Map([['a/a', 'a b']])), BerthError);
});

test('an app of another API gets a service of its own name with a component for each process type', () => {
  const app = {
    name: 'shop',
    processes: [
      {
        type: 'web',
        image: 'berth/shop:v3',
        ports: [8080],
        domains: [
          { hostname: 'www.example.com', port: 8080 },
          { hostname: '*.example.com', port: 8080 },
          { hostname: 'b.example.com', port: 1 },
        ],
        quantity: 3,
      },
      { type: 'worker', image: 'berth/shop:v3', ports: [], domains: [], quantity: 0 },
      { type: 'db/pg', image: 'postgres', ports: [5432], domains: [], quantity: 1 },
    ],
  };
  assert.deepEqual(synthesise(app), {
    app_name: 'shop',
    services: [
      {
        service_name: 'shop',
        components: [
          {
            component_name: 'web',
            scaling_policy: { min: 3 },
            image: 'berth/shop:v3',
            ports: [8080],
            domains: { 'www.example.com': 8080 },
          },
          { component_name: 'worker', image: 'berth/shop:v3' },
        ],
      },
      { service_name: 'db', components: [{ component_name: 'pg', image: 'postgres', ports: [5432] }] },
    ],
  });
});

test('what is made up is a definition like any other', () => {
  const type = fc.stringMatching(/^[a-zA-Z0-9_][a-zA-Z0-9_-]{0,8}(\/[a-zA-Z0-9_][a-zA-Z0-9_-]{0,8})?$/);
  const process = fc.record({
    type,
    image: fc.constantFrom('redis', 'berth/shop:v1', 'host:5000/a/b:c'),
    ports: fc.uniqueArray(fc.integer({ min: 1, max: 65_535 }), { maxLength: 3 }),
    quantity: fc.nat(40),
  });
  const hosts = fc.constantFrom('a.example.com', '*.example.com', 'localhost', 'x.y.berth.localhost');
  const processes = fc.uniqueArray(process, { minLength: 1, maxLength: 5, selector: (each) => each.type });
  fc.assert(
    fc.property(processes, hosts, fc.nat(4), fc.nat(2), (all, hostname, which, index) => {
      const withDomain = all.map((each, place) => {
        const port = each.ports[index];
        return { ...each, domains: place === which && port !== undefined ? [{ hostname, port }] : [] };
      });
      const parsed = parseDefinition(synthesise({ name: 'shop', processes: withDomain }));
      const expected = all.map((each) => [
        each.type.includes('/') ? each.type : `shop/${each.type}`,
        each.image,
        each.ports,
      ]);
      const byType = (list: readonly unknown[]) => list.map((each) => JSON.stringify(each)).sort();
      assert.deepEqual(
        byType(parsed.components.map(({ type, image, ports }) => [type, image.text, ports])),
        byType(expected),
      );
    }),
  );
});
