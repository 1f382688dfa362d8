import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BerthError } from '../../src/core/errors.ts';
import { imageReference, withTag } from '../../src/core/images/image-reference.ts';

test('says which part of an image’s name is which', () => {
  const cases: readonly (readonly [string, string | null, string | null, string, string | null])[] = [
    ['redis', null, null, 'redis', null],
    ['redis:3.0', null, null, 'redis', '3.0'],
    ['giantswarm/helloworld', null, 'giantswarm', 'helloworld', null],
    ['codeformuenster/open-events_event-input-form', null, 'codeformuenster', 'open-events_event-input-form', null],
    ['registry.example.com/bantic/app:1.0', 'registry.example.com', 'bantic', 'app', '1.0'],
    ['registry.example.com/rails-example:0.0.2', 'registry.example.com', null, 'rails-example', '0.0.2'],
    ['host:5000/app', 'host:5000', null, 'app', null],
    ['localhost/app', 'localhost', null, 'app', null],
    ['plain/ns/app', 'plain', 'ns', 'app', null],
    ['ghcr.io/some-one/deep/er/app:v1', 'ghcr.io', 'some-one/deep/er', 'app', 'v1'],
    ['zalando-incubator/x', null, 'zalando-incubator', 'x', null],
  ];
  for (const [text, registry, namespace, name, tag] of cases)
    assert.deepEqual(imageReference(text), { registry, namespace, name, tag, text });
});

const refused = (text: unknown) =>
  assert.throws(
    () => imageReference(text),
    (error) => error instanceof BerthError && error.kind === 'invalid' && error.details.field === 'image',
    String(text),
  );

test('refuses what is no name of an image', () => {
  const texts = ['', ' ', 'a b', 'redis ', 'Redis', 'a//b', '/a', 'a/', ':1', 'a:', 'a:b:c', 'a/b:1/c d', '-a', 'a/-b'];
  for (const text of [...texts, 'a:-1', 'a:.', '$image', 'a@sha256:00', 'x'.repeat(513), '..', '../a', null, 7, {}])
    refused(text);
  for (const tag of ['', '-x', 'a/b', 'a b', ':', 'x'.repeat(129)])
    assert.throws(() => withTag(imageReference('redis'), tag), BerthError);
});

const word = fc.stringMatching(/^[a-z0-9_][a-z0-9._-]{0,6}[a-z0-9_]$/);
const tag = fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,8}$/);
const host = fc.stringMatching(/^[a-z0-9]{1,5}\.[a-z]{2,3}(:[1-9]\d{0,3})?$/);
const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null });

test('what is put together from parts comes apart into the same', () => {
  const parts = fc.record({ registry: optional(host), namespace: optional(word), name: word, tag: optional(tag) });
  fc.assert(
    fc.property(parts, tag, (given, other) => {
      // Without a registry before it, a namespace with a dot would be one.
      fc.pre(given.registry !== null || given.namespace === null || !given.namespace.includes('.'));
      const path = [given.registry, given.namespace, given.name].filter((part) => part !== null).join('/');
      const text = given.tag === null ? path : `${path}:${given.tag}`;
      const reference = imageReference(text);
      assert.deepEqual(reference, { ...given, text });
      assert.deepEqual(withTag(reference, other), { ...given, tag: other, text: `${path}:${other}` });
    }),
  );
});

test('any other text is refused with the same error, and nothing accepted begins like an option', () => {
  const near = fc.string({ unit: fc.constantFrom('a', 'B', '0', '.', '-', '_', ':', '/', ' ', '@'), maxLength: 12 });
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), near), (text) => {
      try {
        const { name, registry, namespace } = imageReference(text);
        for (const part of [name, registry, namespace]) assert.ok(part === null || /^[A-Za-z0-9_]/.test(part));
        assert.doesNotMatch(text, /\s|\/\/|\.\.\//);
      } catch (error) {
        assert.ok(error instanceof BerthError && error.details.field === 'image', String(error));
      }
    }),
    { numRuns: 2000 },
  );
});
