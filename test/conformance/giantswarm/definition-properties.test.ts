/** What holds of every definition: it says the same when it is read again as it is shown, and nothing but WrongInput is ever thrown. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { processType } from '../../../src/core/names.ts';
import type { ParsedDefinition } from '../../../src/dialects/giantswarm/definition/definition.ts';
import { parseDefinition } from '../../../src/dialects/giantswarm/definition/parse-definition.ts';
import { WrongInput } from '../../../src/dialects/giantswarm/definition/place.ts';
import { processTypeOf } from '../../../src/dialects/giantswarm/definition/process-type.ts';
import type { Expected, Generated } from './generated-parts.ts';
import { v1Definitions } from './generated-v1.ts';
import { v2Definitions } from './generated-v2.ts';

/** Shown, sent and read again it is the same, with its keys in the same order. */
function assertStable(parsed: ParsedDefinition): void {
  const sent = JSON.stringify(parsed.definition);
  const again = parseDefinition(JSON.parse(sent));
  assert.equal(JSON.stringify(again.definition), sent);
  assert.deepEqual(again, parsed);
}

function assertRead({ definition, components }: Generated): void {
  const parsed = parseDefinition(definition);
  const byName = (a: Expected, b: Expected) => (`${a.service} ${a.name}` < `${b.service} ${b.name}` ? -1 : 1);
  const read = parsed.components.map((component) => ({
    service: component.service,
    name: component.name,
    ports: component.ports,
    env: { ...component.env },
    hosts: component.domains.length,
    mounts: component.mounts.length,
    links: component.links.map((link) => {
      const target = parsed.components.find(({ type }) => type === link.type);
      return `${link.name} ${target?.service}/${target?.name}:${link.port}`;
    }),
    pod: component.pod,
  }));
  const expected = components.map(({ service, name, ports, env, hosts, mounts, links, pod }) => ({
    service,
    name,
    ports,
    env: { ...env },
    hosts,
    mounts,
    links,
    pod,
  }));
  assert.deepEqual(read.toSorted(byName), expected.toSorted(byName));
  for (const component of parsed.components) {
    assert.equal(processType(component.type), processTypeOf(component.service, component.name));
    assert.ok(1 <= component.min && component.min <= component.max && component.max <= 10);
    for (const { type, port } of component.links)
      assert.ok(parsed.components.some((each) => each.type === type && each.ports.includes(port)));
    for (const { from } of component.mounts)
      assert.ok(
        from === null ||
          parsed.components
            .find((each) => each.type === from.type && each.pod === component.pod && each.pod !== null)
            ?.mounts.some((mount) => mount.path === from.path && mount.from === null),
      );
  }
  assertStable(parsed);
}

test('a definition in the first format is read as it was meant, and again from what is shown', () => {
  fc.assert(fc.property(v1Definitions, assertRead), { numRuns: 300 });
});

test('a definition in the later format is read as it was meant, and again from what is shown', () => {
  fc.assert(fc.property(v2Definitions, assertRead), { numRuns: 300 });
});

/** Refused with a path that leads into the body, or accepted and stable. */
function assertDecided(body: unknown): void {
  let parsed: ParsedDefinition;
  try {
    parsed = parseDefinition(body);
  } catch (error) {
    assert.ok(error instanceof WrongInput, `${JSON.stringify(body)}: ${error instanceof Error ? error.stack : error}`);
    assert.match(error.path, /^(?:\[(?:\d+|".*?(?<!\\)(?:\\\\)*")\])*$/s);
    assert.notEqual(error.reason, '');
    return;
  }
  assertStable(parsed);
}

const keys = fc.constantFrom(
  ...[
    'app_name',
    'AppName',
    'services',
    'service_name',
    'components',
    'component_name',
    'image',
    'ports',
    'env',
    'volumes',
    'path',
  ],
  ...[
    'size',
    'volumes-from',
    'volume-from',
    'volume-path',
    'domains',
    'dependencies',
    'name',
    'port',
    'alias',
    'pod',
    'scaling_policy',
  ],
  ...[
    'min',
    'max',
    'nodes',
    'definition',
    'links',
    'component',
    'service',
    'target_port',
    'expose',
    'scale',
    'placement',
    'args',
  ],
  ...[
    'entrypoint',
    'public_ports',
    'same_machine',
    'signal-ready',
    'memory-limit',
    'shared',
    'a',
    'a/b',
    'a/b/c',
    '80',
    'a.example.com',
  ],
  ...['__proto__', 'constructor', 'toString', ''],
);
const values = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    false,
    0,
    1,
    -1,
    80,
    1.5,
    1e300,
    '',
    '80',
    '80/tcp',
    '5 GB',
    'a',
    'a/b',
    'redis',
    '/data',
    'p',
  ),
  fc.constantFrom<unknown>('a.example.com', 'children', 'inherit', 'A=1', '__proto__', '\ud800', '\0', 'x'.repeat(300)),
  fc.string({ unit: 'binary' }),
);
const { json } = fc.letrec<{ json: unknown }>((tie) => ({
  json: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    values,
    fc.array(tie('json'), { maxLength: 3 }),
    fc.array(fc.tuple(keys, tie('json')), { maxLength: 5 }).map((entries) => Object.fromEntries(entries)),
  ),
}));

test('any JSON is decided', () => {
  fc.assert(fc.property(json, assertDecided), { numRuns: 3000 });
});

/** The same JSON with something else at one place, chosen by `seed`. */
function mutated(value: unknown, seed: number, replacement: unknown, renamed: string | null): unknown {
  if (typeof value !== 'object' || value === null) return replacement;
  const entries = Object.entries(value);
  const chosen = entries[seed % (entries.length + 1)];
  if (chosen === undefined) return renamed === null ? replacement : { ...value, [renamed]: replacement };
  const inner = mutated(chosen[1], Math.floor(seed / (entries.length + 1)), replacement, renamed);
  if (Array.isArray(value)) return value.map((item, index) => (String(index) === chosen[0] ? inner : item));
  return Object.fromEntries(entries.map(([key, item]) => [key, key === chosen[0] ? inner : item]));
}

test('a right definition with something wrong in it is decided', () => {
  const right = fc.oneof(v1Definitions, v2Definitions);
  let accepted = 0;
  let refused = 0;
  fc.assert(
    fc.property(right, fc.nat(), json, fc.option(keys), ({ definition }, seed, replacement, renamed) => {
      const body = mutated(definition, seed, replacement, renamed);
      assertDecided(body);
      try {
        parseDefinition(body);
        accepted += 1;
      } catch {
        refused += 1;
      }
    }),
    { numRuns: 1500 },
  );
  assert.ok(accepted > 20 && refused > 200, `both happen: ${accepted} accepted, ${refused} refused`);
});

test('a path of any key leads to it', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }), (key) => {
      fc.pre(!/^(?:name|nodes|components|definition)$/.test(key));
      assert.throws(
        () => parseDefinition({ components: { a: { image: 'redis' } }, [key]: 1 }),
        (error) => error instanceof WrongInput && error.path === `[${JSON.stringify(key)}]`,
      );
    }),
  );
});
