import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { LogLine } from '../../src/core/ports/log-store.ts';
import { createEncoder, decodeRecord, maxTextLength, tornMark } from '../../src/logging/record.ts';
import { lineOf } from './temporary-store.ts';

const anyText = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 200 }),
  fc.string({
    unit: fc.constantFrom('\\', '\r', '\n', tornMark, 'r', 'n', 'c', ' ', '\u0000', '\u2028'),
    maxLength: 30,
  }),
);
const name = fc.oneof(fc.constant(''), fc.stringMatching(/^[a-zA-Z0-9_][a-zA-Z0-9_/.-]{0,40}$/));
const anyLine: fc.Arbitrary<LogLine> = fc.record(
  {
    at: fc.date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true }),
    source: fc.constantFrom('app', 'router', 'build', 'platform', 'event'),
    process: name,
    instance: name,
    seat: fc.oneof(fc.constant(''), fc.stringMatching(/^[a-zA-Z0-9_][a-zA-Z0-9_-]{0,20}$/)),
    text: anyText,
  },
  { noNullPrototype: true },
);

test('any lines are read back as they were written, one record each', () => {
  fc.assert(
    fc.property(fc.array(anyLine, { maxLength: 20 }), (lines) => {
      const encoded = createEncoder()(lines);
      const records = encoded.split('\n');
      assert.equal(records.pop(), '');
      assert.deepEqual(records.map(decodeRecord), lines);
    }),
  );
});

test('a record is the documented line', () => {
  const lines = [lineOf('hello \\ world\r'), lineOf('', { source: 'platform', process: '', instance: '' })];
  assert.equal(
    createEncoder()(lines),
    '2026-01-02T03:04:05.678Z app web web-1 hello \\\\ world\\r\n2026-01-02T03:04:05.678Z platform - - \n',
  );
  const seated = [lineOf('x', { seat: 'web-0' }), lineOf('x'), lineOf('x', { seat: 'web-0', instance: '' })];
  assert.deepEqual(
    createEncoder()(seated)
      .split('\n')
      .map((record) => record.split(' ')[3]),
    ['web-1@web-0', 'web-1', '-@web-0', undefined],
  );
});

test('columns cannot be forged by odd names', () => {
  const odd = { process: 'we b\n', instance: 'é@1', seat: 'a@b c' };
  const [record] = createEncoder()([lineOf('text', odd)]).split('\n');
  assert.deepEqual(decodeRecord(record ?? ''), lineOf('text', { process: 'we_b_', instance: '__1', seat: 'a_b_c' }));
});

test('a very long text is cut and says by how much', () => {
  const [record] = createEncoder()([lineOf('x'.repeat(maxTextLength + 7))]).split('\n');
  const text = decodeRecord(record ?? '')?.text ?? '';
  assert.ok(text.startsWith('xxx') && text.endsWith(' … (7 more characters cut)'));
});

test('what is no whole record is none', () => {
  const whole = createEncoder()([lineOf('text')]).trimEnd();
  assert.notEqual(decodeRecord(whole), null);
  assert.equal(decodeRecord(`${whole}${tornMark}`), null);
  assert.equal(decodeRecord(whole.slice(5)), null);
  assert.equal(decodeRecord(whole.replace(' app ', ' nonsense ')), null);
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (garbage) => {
      const line = decodeRecord(garbage);
      assert.ok(line === null || !Number.isNaN(line.at.getTime()));
    }),
  );
});
