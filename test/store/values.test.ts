import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { texts, time } from '../../src/store/values.ts';

test('times are read to the millisecond, whatever the fraction and the offset', () => {
  fc.assert(
    fc.property(fc.date({ min: new Date('0001-01-01'), max: new Date('9999-01-01'), noInvalidDate: true }), (date) => {
      const text = date.toISOString().replace('T', ' ').replace('Z', '+00');
      if (date.getUTCFullYear() >= 100) assert.deepEqual(time(text), date);
      const short = text.replace(/\.?0+\+00$/, '+00');
      if (date.getUTCFullYear() >= 100 && short.length > 21) assert.deepEqual(time(short), date);
    }),
  );
  assert.deepEqual(time('2026-03-04 05:06:07+02'), new Date('2026-03-04T03:06:07Z'));
  assert.deepEqual(time('2026-03-04 05:06:07.5+05:30'), new Date('2026-03-03T23:36:07.500Z'));
});

test('lists of texts', () => {
  assert.deepEqual(texts('{}'), []);
  assert.deepEqual(texts('{a,b c}'), ['a', 'b c']);
  assert.deepEqual(texts('{"a,b","q\\"uote","NULL",""}'), ['a,b', 'q"uote', 'NULL', '']);
});
