/** Pods and volumes in the first format: what members share, and what must not clash. */
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

test('pods have two members of one service, whose ports, links and scales do not clash', () => {
  const member = (name: string, more: Json = {}) => named(name, { pod: 'p', ...more });
  const scales = parseDefinition(
    of(member('a', { scaling_policy: { min: 2 } }), member('b', { scaling_policy: { max: 3 } }), named('c')),
  ).components.map(({ pod, min, max }) => [pod, min, max]);
  assert.deepEqual(scales, [
    ['p', 2, 3],
    ['p', 2, 3],
    [null, 1, 10],
  ]);

  refused(of(member('a'), named('b')), `${first}["pod"]`, /at least two/);
  refused(of(named('a', { pod: 'a/b' })), `${first}["pod"]`, /letters/);
  refused(
    app(service('s', member('a')), service('t', member('b'))),
    '["services"][1]["components"][0]["pod"]',
    /also in the service/,
  );
  refused(of(member('a', { ports: [80] }), member('b', { ports: [81, '80/tcp'] })), `${second}["ports"]`, /port 80/);
  refused(
    of(member('a', { scaling_policy: { min: 2 } }), member('b', { scaling_policy: { min: 1 } })),
    `${first}["scaling_policy"]["min"]`,
    /same for all/,
  );
  refused(
    of(member('a', { scaling_policy: { min: 3 } }), member('b', { scaling_policy: { max: 2 } })),
    `${first}["scaling_policy"]`,
    /above/,
  );
  const db = named('db', { ports: [1, 2] });
  const link = (port: number, alias = 'x') => ({ dependencies: [{ name: 'db', port, alias }] });
  refused(of(member('a', link(1)), member('b', link(2)), db), `${second}["dependencies"][0]`, /same pod/);
  assert.equal(parseDefinition(of(member('a', link(1)), member('b', link(1)), db)).components.length, 3);
  assert.equal(parseDefinition(of(member('a', link(1)), member('b', link(2, 'y')), db)).components.length, 3);
});

test('volumes have three forms and sizes in GB', () => {
  const mounts = (size: unknown) => component(of(named('a', { volumes: [{ path: '/data/', size }] })), 's/a').mounts;
  for (const [size, gigabytes] of [
    ['5 GB', 5],
    ['5GB', 5],
    ['8  G', 8],
    ['10g', 10],
    ['8', 8],
    [8, 8],
    ['100 gb', 100],
  ] as const)
    assert.deepEqual(mounts(size), [{ path: '/data', sizeBytes: gigabytes * 1e9, from: null, shared: false }]);
  const path = `${first}["volumes"]`;
  const wrong = (volume: unknown, where: string, reason: RegExp) =>
    refused(of(named('a', { volumes: [volume] })), `${path}[0]${where}`, reason);
  for (const size of ['5 MB', '5 TB', '-5', '5.5', 'GB', '5 GBs', '1e1', -1])
    wrong({ path: '/d', size }, '["size"]', /size in GB/);
  for (const size of ['0', '101 GB', 0]) wrong({ path: '/d', size }, '["size"]', /1 to 100/);
  for (const size of [true, {}, ['1']]) wrong({ path: '/d', size }, '["size"]', /string/);
  for (const bad of ['data', '/', '//', '/a/../b', '/./a', 'C:\\x'])
    wrong({ path: bad, size: '1' }, '["path"]', /absolute/);
  for (const volume of [
    {},
    { path: '/d' },
    { size: '1' },
    { path: '', size: '1' },
    { path: '/d', size: '' },
    { 'volumes-from': 'b', path: '/d' },
    { 'volumes-from': 'b', size: '1' },
    { 'volumes-from': 'b', 'volume-from': 'b', 'volume-path': '/d' },
    { 'volume-from': 'b' },
    { 'volume-path': '/d' },
    { 'volume-from': 'b', path: '/d' },
    { 'volume-from': 'b', 'volume-path': '/d', size: '1' },
    { path: '/d', size: '1', 'volume-path': '/d' },
  ])
    wrong(volume, '', /a volume must have/);
  wrong({ path: '/d', size: '1', shared: true }, '["shared"]', /unknown/);
  wrong('/d', '', /object/);
  refused(of(named('a', { volumes: {} })), path, /array/);
});

test('volumes of others are followed to their owner', () => {
  const own = (path: string) => ({ path, size: '1' });
  const member = (name: string, ...volumes: readonly Json[]) => named(name, { pod: 'p', volumes });
  const pod = of(
    member('c', { 'volumes-from': 'b' }, { 'volume-from': 'a', 'volume-path': '/two', path: '/2' }),
    member('b', { 'volume-from': 'a', 'volume-path': '/one/', path: '/1' }, own('/b'), {
      'volume-from': 'a',
      'volume-path': '/two',
    }),
    member('a', own('/one'), own('/two/')),
  );
  const from = (type: string, path: string, at: string) => ({
    path: at,
    sizeBytes: null,
    from: { type, path },
    shared: false,
  });
  assert.deepEqual(component(pod, 's/b').mounts, [
    from('s/a', '/one', '/1'),
    { path: '/b', sizeBytes: 1e9, from: null, shared: false },
    from('s/a', '/two', '/two'),
  ]);
  assert.deepEqual(component(pod, 's/c').mounts, [
    from('s/a', '/one', '/1'),
    from('s/b', '/b', '/b'),
    from('s/a', '/two', '/two'),
    from('s/a', '/two', '/2'),
  ]);

  const take = (name: string) => ({ 'volumes-from': name });
  const path = `${first}["volumes"][0]`;
  refused(of(member('a', take('a')), member('b')), `${path}["volumes-from"]`, /itself/);
  refused(of(member('a', take('x')), member('b')), `${path}["volumes-from"]`, /of the same service/);
  refused(of(member('a', take('s/b')), member('b')), `${path}["volumes-from"]`, /of the same service/);
  refused(
    of(named('a', { volumes: [take('b')] }), named('b', { volumes: [own('/x')] })),
    `${path}["volumes-from"]`,
    /same pod/,
  );
  refused(
    of(member('a', take('b')), member('b', take('c')), member('c', take('a'))),
    '["services"][0]["components"][2]["volumes"][0]["volumes-from"]',
    /circle/,
  );
  refused(
    of(member('a', { 'volume-from': 'b', 'volume-path': '/x' }), member('b', own('/y'))),
    `${path}["volume-path"]`,
    /no volume at "\/x"/,
  );
  refused(
    of(named('a', { volumes: [own('/x'), own('/x/')] })),
    `${first}["volumes"][1]`,
    /"\/x" .* in the component "a"/,
  );
  refused(of(member('a', own('/x'), take('b')), member('b', own('/x'))), `${first}["volumes"][1]`, /more than once/);
});
