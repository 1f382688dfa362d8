/** The rules of the later format: a tree of components. What it shares with the first is tested there. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDefinition } from '../../../src/dialects/giantswarm/definition/parse-definition.ts';
import { component, refused } from './refusal.ts';

type Json = Readonly<Record<string, unknown>>;
const app = (components: Json): Json => ({ name: 'shop', components });
const leaf = (more: Json = {}): Json => ({ image: 'redis', ...more });
const at = (...steps: readonly (string | number)[]): string =>
  ['components', ...steps].map((step) => `[${JSON.stringify(step)}]`).join('');

test('keys and names are checked, in their one spelling', () => {
  refused({ name: 'a' }, '["components"]', /required/);
  refused({ components: {} }, '["components"]', /empty/);
  refused({ components: [] }, '["components"]', /object/);
  refused({ components: { a: leaf() }, nodes: { a: leaf() } }, '["components"]', /also as nodes/);
  refused({ ...app({ a: leaf() }), services: [] }, '["name"]', /unknown/);
  refused({ ...app({ a: leaf() }), foo: 1 }, '["foo"]', /unknown/);
  refused({ definition: app({ a: leaf() }), foo: 1 }, '["definition"]', /unknown/);
  refused(app({ a: leaf({ Ports: 80 }) }), at('a', 'Ports'), /unknown/);
  refused(app({ a: leaf({ dependencies: [] }) }), at('a', 'dependencies'), /unknown/);
  for (const name of ['-a', 'a//b', 'a/', '/a', 'a/-', 'a/_', 'a.b', 'a b', '', 'x'.repeat(101)])
    refused(app({ [name]: leaf() }), at(name), /letters/);
  for (const name of ['my app', '_a', '-a', 'x'.repeat(101)])
    refused({ name, components: { a: leaf() } }, '["name"]', /letter/);
  refused({ name: 7, components: { a: leaf() } }, '["name"]', /string/);
});

test('an app without a name is named by its content', () => {
  const name = (components: Json) => parseDefinition({ components }).name;
  assert.match(name({ a: leaf() }), /^[0-9a-f]{8}$/);
  assert.equal(
    name({ a: leaf(), b: leaf({ env: { B: '1', A: '2' } }) }),
    name({ b: leaf({ env: ['A=2', 'B=1'] }), a: leaf() }),
  );
  assert.notEqual(name({ a: leaf() }), name({ a: leaf({ ports: 80 }) }));
  assert.equal(parseDefinition({ components: { a: leaf() } }).definition.name, undefined);
});

test('a tree’s first part is the service', () => {
  const parsed = parseDefinition(app({ root: leaf(), 'web/a': leaf(), 'web/b/c': leaf(), web: { scale: { min: 2 } } }));
  assert.deepEqual(
    parsed.components.map(({ service, name, type, path }) => [service, name, type, path]),
    [
      ['root', 'root', 'root/root', at('root')],
      ['web', 'a', 'web/a', at('web/a')],
      ['web', 'b/c', 'web/b-c-144507dd0a', at('web/b/c')],
    ],
  );
  assert.deepEqual(parsed.services, [
    { name: 'root', min: 1, max: 10 },
    { name: 'web', min: 2, max: 10 },
  ]);
  refused(app({ a: leaf(), 'a/a': leaf() }), at('a/a'), /same service and component/);
});

test('what has no image only configures what is below it', () => {
  refused(app({ a: {} }), at('a', 'image'), /no component is below/);
  refused(app({ a: { image: '' } }), at('a', 'image'), /no component is below/);
  refused(app({ a: { env: {} }, 'a/b': leaf() }), at('a', 'env'), /with an image/);
  refused(app({ a: { links: [] }, 'a/b': leaf() }), at('a', 'links'), /with an image/);
  const parsed = parseDefinition(
    app({
      a: { scale: { min: 2, max: 4 } },
      'a/b': { scale: { max: 3 } },
      'a/b/c': leaf(),
      'a/d': leaf({ scale: { min: 1 } }),
      'a/d/e': leaf(),
    }),
  );
  assert.deepEqual(
    parsed.components.map(({ name, min, max }) => [name, min, max]),
    [
      ['b/c', 2, 3],
      ['d', 1, 4],
      ['d/e', 2, 4],
    ],
  );
});

test('scale has a placement, signals are flags, memory limits are not enabled', () => {
  const read = parseDefinition(app({ a: leaf({ scale: { placement: 'one-per-machine' }, 'signal-ready': true }) }));
  assert.deepEqual(read.definition.components, {
    a: { image: 'redis', scale: { placement: 'one-per-machine' }, 'signal-ready': true },
  });
  refused(app({ a: leaf({ scale: { placement: 'far' } }) }), at('a', 'scale', 'placement'), /simple/);
  refused(app({ a: leaf({ scale: { min: 0 } }) }), at('a', 'scale', 'min'), /1 to 10/);
  refused(app({ a: leaf({ 'signal-ready': 'yes' }) }), at('a', 'signal-ready'), /true or false/);
  refused(app({ a: leaf({ 'memory-limit': '512 MiB' }) }), at('a', 'memory-limit'), /not enabled/);
});

test('domains are shown by port', () => {
  const shown = (domains: Json) => {
    const { definition, components } = parseDefinition(app({ a: leaf({ ports: [80, 8080], domains }) }));
    return [(definition.components as Readonly<Record<string, Json>>).a?.domains, components[0]?.domains.length];
  };
  const wanted = [{ '80/tcp': ['a.example.com', 'b.example.com'], '8080/tcp': ['c.example.com'] }, 3];
  assert.deepEqual(shown({ '8080/tcp': 'c.example.com', '80': ['b.example.com', 'A.example.com'] }), wanted);
  assert.deepEqual(shown({ 'c.example.com': 8080, 'b.example.com': ['80'], 'a.example.com': '80/tcp' }), wanted);
  refused(app({ a: leaf({ ports: 80, domains: { '81': 'a.example.com' } }) }), at('a', 'domains', '81'), /not among/);
});

test('volumes may be shared, and are taken by full names', () => {
  const mounts = component(app({ a: leaf({ volumes: [{ path: '/d', size: '1', shared: true }] }) }), 'a/a').mounts;
  assert.deepEqual(mounts, [{ path: '/d', sizeBytes: 1e9, from: null, shared: true }]);
  const pod = (from: string) =>
    app({
      s: { pod: 'children' },
      's/a': leaf({ volumes: [{ path: '/d', size: '1', shared: true }] }),
      's/b': leaf({ volumes: [{ 'volumes-from': from }] }),
    });
  assert.deepEqual(component(pod('s/a'), 's/b').mounts, [
    { path: '/d', sizeBytes: null, from: { type: 's/a', path: '/d' }, shared: true },
  ]);
  refused(pod('a'), at('s/b', 'volumes', 0, 'volumes-from'), /same service/);
  refused(
    app({ a: leaf({ volumes: [{ 'volumes-from': 'b', shared: true }] }), b: leaf() }),
    at('a', 'volumes', 0),
    /a volume must have/,
  );
});

test('links lead below, to siblings and to siblings of those above', () => {
  const tree = (from: string, ...links: readonly Json[]): Json => {
    const components: Record<string, Json> = {
      one: leaf({ ports: 80 }),
      two: { expose: [{ port: 80, component: 'two/a', target_port: 80 }] },
      'two/a': leaf({ ports: 80 }),
      'two/b': leaf({ ports: [80, 81] }),
      'two/b/x': leaf({ ports: 80 }),
      'two/b/y': leaf(),
    };
    components[from] = { ...components[from], links };
    return app(components);
  };
  const reach = (from: string, target: string, type: string) => {
    const parsed = parseDefinition(tree(from, { component: target, target_port: '80/tcp' }));
    const links = parsed.components.flatMap((each) => each.links);
    assert.deepEqual(links, [{ name: target.split('/').at(-1), type, port: 80 }], `${from} → ${target}`);
  };
  const deep = component(tree('one'), 'two/b').type;
  assert.equal(deep, 'two/b');
  reach('two/b/y', 'one', 'one/one');
  reach('two/b/y', 'two/a', 'two/a');
  reach('two/a', 'two/b', 'two/b');
  reach('one', 'two', 'two/a');
  const x = parseDefinition(tree('one')).components.find(({ name }) => name === 'b/x')?.type ?? '';
  reach('two/b', 'two/b/x', x);
  reach('two/b/y', 'two/b/x', x);

  const wrong = (from: string, link: Json, where: string, reason: RegExp) =>
    refused(tree(from, link), at(from, 'links', 0) + where, reason);
  for (const [from, target] of [
    ['one', 'two/a'],
    ['one', 'one'],
    ['two/a', 'two'],
    ['two/a', 'two/b/x'],
    ['two/b/y', 'two/b'],
  ] as const)
    wrong(from, { component: target, target_port: 80 }, '["component"]', /neither below/);
  wrong('one', { component: 'x', target_port: 80 }, '["component"]', /no component/);
  wrong('one', { component: 'two', target_port: 81 }, '["target_port"]', /neither has nor exposes/);
  wrong('one', { component: 'two' }, '["target_port"]', /required/);
  wrong('one', { Component: 'two', target_port: 80 }, '["Component"]', /unknown/);
  wrong('one', { target_port: 80 }, '', /either a component or a service/);
  wrong('one', { component: 'two', service: 'x', target_port: 80 }, '', /either a component or a service/);
  wrong('one', { service: 'other', target_port: 80 }, '["service"]', /not enabled/);
  wrong('one', { component: 'two', target_port: 80, alias: 'localhost' }, '["alias"]', /cannot be/);
});

test('link names do not repeat, links do not go in a circle', () => {
  const link = (component: string, more: Json = {}) => ({ component, target_port: 80, ...more });
  const web = (...links: readonly Json[]) =>
    app({ web: leaf({ links }), a: leaf({ ports: 80 }), b: leaf({ ports: 80 }) });
  assert.deepEqual(
    component(web(link('a', { alias: 'DB_1' }), link('b')), 'web/web').links.map(({ name }) => name),
    ['db-1', 'b'],
  );
  refused(web(link('a'), link('b', { alias: 'a' })), at('web', 'links', 1), /two components/);
  refused(web(link('a'), link('a')), at('web', 'links', 1), /more than once/);
  const ring = (to: string) => leaf({ ports: 80, links: [link(to)] });
  refused(app({ a: ring('b'), b: ring('a') }), at('b', 'links', 0), /circle/);
  refused(
    app({ a: ring('t'), t: { expose: [{ port: 80, component: 't/x' }] }, 't/x': ring('a') }),
    at('t/x', 'links', 0),
    /circle/,
  );
});

test('exposed ports lead to the node or below it, and do not clash', () => {
  const node = (...expose: readonly Json[]) =>
    app({
      n: { expose },
      'n/a': leaf({ ports: [80, 81], expose: [{ port: 90, target_port: 81 }] }),
      other: leaf({ ports: 80 }),
    });
  const accepted = node(
    { port: 80, component: 'n/a', target_port: '80/tcp' },
    { port: '81', component: 'n/a' },
    { port: 1, component: 'n/a', target_port: 90 },
  );
  assert.equal(parseDefinition(accepted).components.length, 2);
  const wrong = (where: string, reason: RegExp, ...expose: readonly Json[]) =>
    refused(node(...expose), at('n', 'expose') + where, reason);
  wrong('[0]["component"]', /neither "n" nor below/, { port: 80, component: 'other' });
  wrong('[0]["component"]', /no component/, { port: 80, component: 'n/b' });
  wrong('[0]["target_port"]', /does not have/, { port: 80, component: 'n/a', target_port: 82 });
  wrong('[0]["target_port"]', /does not have/, { port: 80 });
  wrong('[1]["port"]', /more than once/, { port: 80, component: 'n/a' }, { port: '80', component: 'n/a' });
  wrong('[0]["port"]', /required/, { component: 'n/a' });
  // An expose of the node on itself needs a port of its own, not another expose.
  refused(
    app({
      a: leaf({
        expose: [
          { port: 1, target_port: 2 },
          { port: 2, target_port: 1 },
        ],
      }),
    }),
    at('a', 'expose', 0, 'target_port'),
    /does not have/,
  );
  const root = (port: number) => leaf({ ports: port, expose: [{ port: 99, target_port: port }] });
  refused(app({ a: root(1), b: root(2) }), at('b', 'expose', 0, 'port'), /more than once/);
  refused(
    app({ a: root(1), b: leaf({ links: [{ component: 'a', target_port: 99 }] }) }),
    at('b', 'links', 0, 'target_port'),
    /under another number/,
  );
});

test('pods are of children or of all below', () => {
  const pods = (components: Json) => parseDefinition(app(components)).components.map(({ name, pod }) => [name, pod]);
  assert.deepEqual(pods({ s: { pod: 'children' }, 's/a': leaf(), 's/b': leaf(), 's/b/c': leaf(), 's/d/e': leaf() }), [
    ['a', 's'],
    ['b', 's'],
    ['b/c', null],
    ['d/e', null],
  ]);
  assert.deepEqual(pods({ s: leaf({ pod: 'inherit' }), 's/a': leaf(), 's/b/c': leaf(), 's/b/c/d': leaf() }), [
    ['s', null],
    ['a', 's'],
    ['b/c', 's'],
    ['b/c/d', 's'],
  ]);
  assert.deepEqual(pods({ s: { pod: 'none' }, 's/a': leaf() }), [['a', null]]);
  assert.deepEqual(pods({ s: {}, 's/a': leaf({ pod: 'children' }), 's/a/b': leaf(), 's/a/c': leaf() }), [
    ['a', null],
    ['a/b', 's/a'],
    ['a/c', 's/a'],
  ]);
  refused(app({ s: { pod: 'all' }, 's/a': leaf() }), at('s', 'pod'), /none, children or inherit/);
  refused(app({ s: { pod: 'children' }, 's/a': leaf(), 's/b/c': leaf() }), at('s', 'pod'), /at least two/);
  refused(app({ s: leaf({ pod: 'inherit' }), 's/a': leaf() }), at('s', 'pod'), /at least two/);
  refused(app({ s: { pod: 'children' }, 's/a': leaf({ pod: 'none' }), 's/b': leaf() }), at('s/a', 'pod'), /member/);
  refused(
    app({ s: { pod: 'inherit' }, 's/a': leaf(), 's/b': { pod: 'children' }, 's/b/c': leaf(), 's/b/d': leaf() }),
    at('s/b', 'pod'),
    /member/,
  );
  refused(
    app({ s: { pod: 'children' }, 's/a': leaf({ ports: 80 }), 's/b': leaf({ ports: '80' }) }),
    at('s/b', 'ports'),
    /port 80/,
  );
  refused(
    app({
      s: { pod: 'inherit' },
      's/a': { scale: { min: 2 } },
      's/a/b': leaf(),
      's/c': { scale: { min: 3 } },
      's/c/d': leaf(),
    }),
    at('s/a/b', 'scale', 'min'),
    /same for all/,
  );
  const scaled = parseDefinition(
    app({ s: { pod: 'children', scale: { max: 5 } }, 's/a': leaf({ scale: { min: 2 } }), 's/b': leaf() }),
  );
  assert.deepEqual(
    scaled.components.map(({ min, max }) => [min, max]),
    [
      [2, 5],
      [2, 5],
    ],
  );
});
