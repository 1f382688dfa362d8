/** The rules of the first format, each with what it accepts and what it refuses. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDefinition } from '../../../src/dialects/giantswarm/definition/parse-definition.ts';
import { component, refused } from './refusal.ts';

type Json = Readonly<Record<string, unknown>>;
const app = (...services: readonly Json[]): Json => ({ app_name: 'shop', services });
const service = (name: string, ...components: readonly Json[]): Json => ({ service_name: name, components });
const named = (name: string, more: Json = {}): Json => ({ component_name: name, image: 'redis', ...more });
/** An app of one service `s` with these components. */
const of = (...components: readonly Json[]): Json => app(service('s', ...components));
const first = '["services"][0]["components"][0]';
const second = '["services"][0]["components"][1]';

test('what is no definition at all is refused as a whole', () => {
  for (const body of [undefined, null, 1, 'x', true, [], [{}]]) refused(body, '', /object/);
  refused({}, '["app_name"]', /required/);
  refused({ definition: 3 }, '["definition"]', /object/);
});

test('unknown, missing and empty keys name their path', () => {
  refused(of(named('a'), named('b', { volume: [] })), `${second}["volume"]`, /unknown/);
  refused(of(named('b', { volumes: [{ mount: '/x' }] })), `${first}["volumes"][0]["mount"]`, /unknown/);
  refused({ ...of(named('a')), domains: {} }, '["domains"]', /unknown/);
  refused(app({ ...service('s', named('a')), volumes: [] }), '["services"][0]["volumes"]', /unknown/);
  refused(of(named('a', { links: [] })), `${first}["links"]`, /unknown/);
  refused({ services: [] }, '["app_name"]', /required/);
  refused({ app_name: 'a' }, '["services"]', /required/);
  refused({ app_name: 'a', services: [] }, '["services"]', /empty/);
  refused({ app_name: 'a', services: {} }, '["services"]', /array/);
  refused(app({ components: [named('a')] }), '["services"][0]["service_name"]', /required/);
  refused(app(service('s')), '["services"][0]["components"]', /empty/);
  refused(app({ service_name: 's' }), '["services"][0]["components"]', /required/);
  refused(of({ image: 'redis' }), `${first}["component_name"]`, /required/);
  refused(of({ component_name: 'a' }), `${first}["image"]`, /required/);
  refused(of(named('a', { image: null })), `${first}["image"]`, /required/);
  refused({ ...of(named('a')), app_name: '' }, '["app_name"]', /required/);
});

test('keys may be spelled in camel and upper case, but not below env', () => {
  const parsed = parseDefinition({
    appName: 'shop',
    Services: [
      {
        ServiceName: 's',
        SCALING_POLICY: { Max: 4 },
        Components: [
          {
            ComponentName: 'a',
            Image: 'redis',
            Env: { DB_URL: 'x', camelCase: 'y' },
            Volumes: [{ Path: '/data', Size: '1' }],
            Pod: 'p',
            scalingPolicy: { MIN: 2 },
          },
          { component_name: 'b', image: 'redis', pod: 'p', volumes: [{ VolumesFrom: 'a' }] },
        ],
      },
    ],
  });
  assert.deepEqual(parsed.definition, {
    app_name: 'shop',
    services: [
      {
        service_name: 's',
        scaling_policy: { max: 4 },
        components: [
          {
            component_name: 'a',
            scaling_policy: { min: 2 },
            image: 'redis',
            env: ['DB_URL=x', 'camelCase=y'],
            volumes: [{ path: '/data', size: '1 GB' }],
            pod: 'p',
          },
          { component_name: 'b', image: 'redis', volumes: [{ 'volumes-from': 'a' }], pod: 'p' },
        ],
      },
    ],
  });
  refused({ app_name: 'a', appName: 'b', services: [] }, '["app_name"]', /twice/);
  refused({ appName: 'a', Services: [{ Foo: 1 }] }, '["services"][0]["foo"]', /unknown/);
});

test('names are unique where they stand, and fit into paths', () => {
  refused(app(service('s', named('a')), service('s', named('b'))), '["services"][1]["service_name"]', /more than once/);
  refused(of(named('a'), named('a')), `${second}["component_name"]`, /more than once/);
  assert.equal(parseDefinition(app(service('s', named('a')), service('t', named('a')))).components.length, 2);
  for (const name of ['a/b', 'a b', '-a', '.', '..', 'ä', 'x'.repeat(101)])
    refused(of(named(name)), `${first}["component_name"]`, /letters/);
  refused({ ...of(named('a')), app_name: 'my app' }, '["app_name"]', /letters/);
  refused(of(named('a', { component_name: 7 })), `${first}["component_name"]`, /string/);
});

test('a process type is the two names, or a readable form with a digest', () => {
  const types = (...names: readonly string[]) =>
    parseDefinition(of(...names.map((each) => named(each)))).components.map(({ type }) => type);
  assert.deepEqual(types('My_comp-1'), ['s/My_comp-1']);
  const [dotted = '', dashed] = types('web.1', 'web-1');
  assert.match(dotted, /^s\/web-1-[0-9a-f]{10}$/);
  assert.equal(dashed, 's/web-1');
  const long = types('x'.repeat(100), `${'x'.repeat(99)}y`);
  assert.equal(new Set(long).size, 2);
  for (const type of long) assert.equal(type.length, 64);
});

test('ports are numbers, texts or a bare value, and tcp', () => {
  const ports = [80, '81', '82/tcp', 80, '80/tcp'];
  assert.deepEqual(component(of(named('a', { ports })), 's/a').ports, [80, 81, 82]);
  assert.deepEqual(component(of(named('a', { ports: '8080/tcp' })), 's/a').ports, [8080]);
  refused(of(named('a', { ports: [53, '53/udp'] })), `${first}["ports"][1]`, /only tcp/);
  for (const port of [0, 65_536, -1, 1.5, '', '0', '080', '80/', '80tcp', '1e3', ' 80', '$port'])
    refused(of(named('a', { ports: [port] })), `${first}["ports"][0]`, /port from 1 to 65535/);
  for (const port of [null, {}, true, []]) refused(of(named('a', { ports: [port] })), `${first}["ports"][0]`, /port/);
});

test('env is a list or an object of texts, and no error repeats a value', () => {
  const list = component(of(named('a', { env: ['A=1', 'B==2=', 'C=', 'A=3'] })), 's/a');
  assert.deepEqual(list.env, { A: '3', B: '=2=', C: '' });
  assert.deepEqual(component(of(named('a', { env: { A: 'x\ny "$' } })), 's/a').env, { A: 'x\ny "$' });
  for (const env of [{ A: 1 }, { A: null }, { A: true }])
    refused(of(named('a', { env })), `${first}["env"]["A"]`, /text|string/);
  refused(of(named('a', { env: ['A'] })), `${first}["env"][0]`, /^must have the form KEY=value$/);
  refused(of(named('a', { env: ['hunter2 x=1'] })), `${first}["env"][0]`, /^(?!.*hunter2)/);
  refused(of(named('a', { env: { 'hunter2 x': '1' } })), `${first}["env"]`, /^(?!.*hunter2)/);
  refused(of(named('a', { env: { A: 'a\0b' } })), `${first}["env"]["A"]`, /NUL/);
  refused(of(named('a', { env: { A: '\ud800' } })), `${first}["env"]["A"]`, /text/);
  refused(of(named('a', { env: 'A=1' })), `${first}["env"]`, /object/);
});

test('args are texts, the entrypoint is one word', () => {
  const read = component(of(named('a', { args: ['-c', 'a b', ''], entrypoint: '/bin/sh' })), 's/a');
  assert.deepEqual([read.args, read.entrypoint], [['-c', 'a b', ''], '/bin/sh']);
  const empty = component(of(named('a', { args: [], entrypoint: '', env: {}, pod: '', volumes: null })), 's/a');
  assert.deepEqual([empty.args, empty.entrypoint, empty.env, empty.pod, empty.mounts], [null, null, {}, null, []]);
  refused(of(named('a', { args: '-c' })), `${first}["args"]`, /array/);
  refused(of(named('a', { args: ['a', 1] })), `${first}["args"][1]`, /string/);
  refused(of(named('a', { entrypoint: '/bin/sh -c' })), `${first}["entrypoint"]`, /one word/);
  refused(of(named('a', { entrypoint: ['/bin/sh'] })), `${first}["entrypoint"]`, /string/);
});

test('images are read, and refused with the core’s words', () => {
  const { image } = component(of(named('a', { image: 'registry.example.com/acme/web:1.0' })), 's/a');
  assert.deepEqual(
    [image.registry, image.namespace, image.name, image.tag],
    ['registry.example.com', 'acme', 'web', '1.0'],
  );
  refused(of(named('a', { image: 'a b' })), `${first}["image"]`, /spaces/);
  refused(of(named('a', { image: 5 })), `${first}["image"]`, /string/);
});

test('domains go both ways, lead to a port of the component, and are host names', () => {
  const domains = (value: unknown) =>
    component(of(named('a', { ports: [80, '81/tcp'], domains: value })), 's/a').domains;
  const both = [
    { hostname: 'a.example.com', port: 80 },
    { hostname: 'b.example.com', port: 81 },
  ];
  assert.deepEqual(domains({ 'b.example.com': '81', 'A.example.COM': 80 }), both);
  assert.deepEqual(domains({ 'a.example.com': ['80'], 'b.example.com': '81/tcp' }), both);
  assert.deepEqual(domains({ '80': 'a.example.com', '81/tcp': ['b.example.com'] }), both);
  assert.deepEqual(domains({ 'a.b.c.d.xn--p1ai': 80, 'shop.localhost': 80 }).length, 2);

  const path = `${first}["domains"]`;
  const wrong = (value: Json, where: string, reason: RegExp) =>
    refused(of(named('a', { ports: [80, 81], domains: value })), `${path}${where}`, reason);
  wrong({ 'a.example.com': 82 }, '["a.example.com"]', /not among/);
  wrong({ '82': 'a.example.com' }, '["82"]', /not among/);
  wrong({ 'a.example.com': 80, '81': 'b.example.com' }, '', /only one/);
  wrong({ 'a.example.com': [80, 81] }, '["a.example.com"]', /one port only/);
  wrong({ 'a.example.com': [] }, '["a.example.com"]', /must have a port/);
  wrong({ '80': [] }, '["80"]', /must have a domain/);
  wrong({ 'a.example.com': '80/udp' }, '["a.example.com"]', /only tcp/);
  wrong({ '80': ['a.example.com', 'A.example.com'] }, '', /more than once/);
  wrong({ 'a.example.com:80': 80 }, '["a.example.com:80"]', /without a port/);
  wrong({ '80': ['ok.example.com', 'a.example.com:80'] }, '["80"][1]', /without a port/);
  wrong({ '80': { 'a.example.com': 1 } }, '["80"]', /string/);
  for (const name of [
    'example',
    'a..com',
    '-a.com',
    'a_b.com',
    'a.c',
    'a.123',
    '$domain',
    '*.example.com',
    'a.com.',
    '',
  ])
    wrong({ [name]: 80 }, `[${JSON.stringify(name)}]`, /not a valid domain/);
  wrong({ [`${'a'.repeat(64)}.com`]: 80 }, `["${'a'.repeat(64)}.com"]`, /not a valid domain/);
  const host = { ports: [80], domains: { 'a.example.com': 80 } };
  refused(
    app(service('s', named('a', host)), service('t', named('b', host))),
    '["services"][1]["components"][0]["domains"]',
    /more than once/,
  );
});

test('scaling policies: 1 to 10, and the service’s is the default', () => {
  const range = (service: unknown, own: unknown) => {
    const parsed = parseDefinition(
      app({ service_name: 's', scaling_policy: service, components: [named('a', { scaling_policy: own })] }),
    );
    return [parsed.services[0], parsed.components[0]].map((each) => [each?.min, each?.max]);
  };
  assert.deepEqual(range(null, null), [
    [1, 10],
    [1, 10],
  ]);
  assert.deepEqual(range({}, { min: 2 }), [
    [1, 10],
    [2, 10],
  ]);
  assert.deepEqual(range({ min: 2, max: 4 }, { max: 3 }), [
    [2, 4],
    [2, 3],
  ]);
  assert.deepEqual(range({ min: 2, max: 4 }, { min: 4, max: 4 }), [
    [2, 4],
    [4, 4],
  ]);
  const path = `${first}["scaling_policy"]`;
  for (const min of [0, -1, 11, 1e9]) refused(of(named('a', { scaling_policy: { min } })), `${path}["min"]`, /1 to 10/);
  for (const max of ['3', 1.5, true]) refused(of(named('a', { scaling_policy: { max } })), `${path}["max"]`, /whole/);
  refused(of(named('a', { scaling_policy: { min: 3, max: 2 } })), path, /above/);
  refused(
    app({ service_name: 's', scaling_policy: { max: 2 }, components: [named('a', { scaling_policy: { min: 3 } })] }),
    path,
    /above/,
  );
  refused(of(named('a', { scaling_policy: { minimum: 1 } })), `${path}["minimum"]`, /unknown/);
});

test('dependencies lead to a port of a component that is there, without a circle', () => {
  const web = (...dependencies: readonly Json[]) => named('web', { ports: [80], dependencies });
  const db = named('my_db', { ports: ['5432/tcp'] });
  const links = (...dependencies: readonly Json[]) =>
    component(app(service('s', web(...dependencies), db), service('t', db)), 's/web').links;
  assert.deepEqual(
    links({ name: 'my_db', port: '5432', same_machine: true }, { name: 't/my_db', port: 5432, alias: 'Other' }),
    [
      { name: 'my-db', type: 's/my_db', port: 5432 },
      { name: 'other', type: 't/my_db', port: 5432 },
    ],
  );
  const path = `${first}["dependencies"]`;
  const wrong = (where: string, reason: RegExp, ...dependencies: readonly Json[]) =>
    refused(app(service('s', web(...dependencies), db), service('t', db)), `${path}${where}`, reason);
  wrong('[0]["name"]', /no component "s\/x"/, { name: 'x', port: 80 });
  wrong('[0]["name"]', /no component "x\/my_db"/, { name: 'x/my_db', port: 80 });
  wrong('[0]["port"]', /does not have the port 80/, { name: 'my_db', port: 80 });
  wrong('[0]["port"]', /required/, { name: 'my_db' });
  wrong('[0]["port"]', /only tcp/, { name: 'my_db', port: '5432/udp' });
  wrong('[0]["name"]', /service\/component/, { name: 'a/b/c', port: 80 });
  wrong('[0]["name"]', /service\/component/, { name: '', port: 80 });
  wrong('[0]["alias"]', /cannot be the name/, { name: 'my_db', port: 5432, alias: 'localhost' });
  wrong('[0]["alias"]', /cannot be the name/, { name: 'my_db', port: 5432, alias: '___' });
  wrong('[0]["alias"]', /letters/, { name: 'my_db', port: 5432, alias: 'a b' });
  wrong('[1]', /more than once/, { name: 'my_db', port: 5432 }, { name: 's/my_db', port: '5432/tcp' });
  wrong('[1]', /two components/, { name: 'my_db', port: 5432 }, { name: 't/my_db', port: 5432 });
  wrong('[0]', /circle/, { name: 'web', port: 80 });
  const ring = (name: string, to: string) => named(name, { ports: [80], dependencies: [{ name: to, port: 80 }] });
  refused(
    of(ring('a', 'b'), ring('b', 'c'), ring('c', 'a')),
    '["services"][0]["components"][2]["dependencies"][0]',
    /circle/,
  );
});

test('several ports of one component may be linked under one name', () => {
  const db = named('db', { ports: [1, 2] });
  const dependencies = [
    { name: 'db', port: 1 },
    { name: 'db', port: 2 },
  ];
  assert.equal(component(of(named('web', { dependencies }), db), 's/web').links.length, 2);
});

test('what there may be many of has a limit', () => {
  const many = Array.from({ length: 251 }, (_, index) => named(`c${index}`));
  refused(of(...many), '["services"][0]["components"]', /more than 250/);
  refused(app(service('s', ...many.slice(0, 200)), service('t', ...many.slice(0, 200))), '', /more than 250/);
  refused(of(named('a', { ports: Array.from({ length: 101 }, (_, index) => index + 1) })), `${first}["ports"]`, /100/);
  // Each takes all that those before it have.
  const chain = Array.from({ length: 120 }, (_, index) =>
    named(`c${index}`, {
      pod: 'p',
      volumes: [{ path: `/v${index}`, size: '1' }, ...(index === 0 ? [] : [{ 'volumes-from': `c${index - 1}` }])],
    }),
  );
  refused(of(...chain), '["services"][0]["components"][100]["volumes"][1]', /more than 100/);
});
