/** The frames of an exec: what two outputs say comes out as it went in, whatever the bytes and wherever they were cut. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { multiplexed, STDERR, STDOUT } from '../../../src/dialects/giantswarm/instances/multiplex.ts';
import { demultiplexed } from './exec-client.ts';

test('frames hold any pieces of both outputs in order', () => {
  const piece = fc.record({ stream: fc.constantFrom(STDOUT, STDERR), bytes: fc.uint8Array({ maxLength: 70_000 }) });
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const framed = Buffer.concat(pieces.map(({ stream, bytes }) => multiplexed(stream, bytes)));
      const of = (wanted: number) =>
        Buffer.concat(pieces.filter(({ stream }) => stream === wanted).map(({ bytes }) => bytes));
      assert.deepEqual(demultiplexed(framed), { stdout: of(STDOUT), stderr: of(STDERR) });
    }),
  );
});

test('the header is Docker’s, byte by byte; an empty piece has none', () => {
  assert.deepEqual([...multiplexed(STDERR, Buffer.alloc(258, 7))].slice(0, 9), [2, 0, 0, 0, 0, 0, 1, 2, 7]);
  assert.deepEqual([...multiplexed(STDOUT, Buffer.from('a'))], [1, 0, 0, 0, 0, 0, 0, 1, 97]);
  assert.equal(multiplexed(STDOUT, Buffer.alloc(0)).length, 0);
});
