/** Bodies read from raw bytes: however they are cut, the body and what follows it come out whole. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { framingOf } from '../../src/http/streaming/body-framing.ts';

const bytes = fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array));

/** Cuts at the given places, wherever they fall. */
function pieces(whole: Buffer, cuts: readonly number[]): readonly Buffer[] {
  const places = [0, ...cuts.map((cut) => cut % (whole.length + 1)), whole.length].sort((a, b) => a - b);
  return places.slice(1).map((place, index) => whole.subarray(places[index], place));
}

function read(headers: Parameters<typeof framingOf>[0], sent: readonly Buffer[]): { body: Buffer; rest: Buffer } {
  const framing = framingOf(headers);
  const body: Buffer[] = [];
  const rest: Buffer[] = [];
  for (const piece of sent) rest.push(piece.subarray(framing.push(piece, (content) => body.push(content))));
  assert.equal(framing.done, true);
  return { body: Buffer.concat(body), rest: Buffer.concat(rest) };
}

test('a body of a length', () => {
  fc.assert(
    fc.property(bytes, bytes, fc.array(fc.nat(200)), (body, rest, cuts) => {
      const sent = pieces(Buffer.concat([body, rest]), cuts);
      assert.deepEqual(read({ 'content-length': String(body.length) }, sent), { body, rest });
    }),
  );
});

test('a body in chunks', () => {
  const chunk = bytes.filter(({ length }) => length > 0);
  const extension = fc.constantFrom('', ';a', '; a="b;c"', ' ');
  fc.assert(
    fc.property(
      fc.array(fc.tuple(chunk, extension)),
      fc.array(fc.constantFrom('x: y', 'digest: 1')),
      bytes,
      fc.array(fc.nat(500)),
      (chunks, trailers, rest, cuts) => {
        const encoded = Buffer.concat([
          ...chunks.flatMap(([content, rider]) => [
            Buffer.from(`${content.length.toString(16)}${rider}\r\n`),
            content,
            Buffer.from('\r\n'),
          ]),
          Buffer.from(`0\r\n${trailers.map((line) => `${line}\r\n`).join('')}\r\n`),
          rest,
        ]);
        const body = Buffer.concat(chunks.map(([content]) => content));
        assert.deepEqual(read({ 'transfer-encoding': 'chunked' }, pieces(encoded, cuts)), { body, rest });
      },
    ),
  );
});

test('no body at all; headers that are no framing', () => {
  assert.deepEqual(read({}, [Buffer.from('rest')]), { body: Buffer.alloc(0), rest: Buffer.from('rest') });
  for (const headers of [
    { 'content-length': '-1' },
    { 'content-length': '1, 1' },
    { 'transfer-encoding': 'identity' },
    { 'transfer-encoding': 'chunked', 'content-length': '1' },
  ])
    assert.throws(() => framingOf(headers), /malformed/, JSON.stringify(headers));
});
