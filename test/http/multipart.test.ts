/** Multipart bodies: the same parts however the bytes are cut, and nothing for what is malformed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readMultipart } from '../../src/http/streaming/multipart.ts';

interface Whole {
  readonly name: string;
  readonly fileName: string | null;
  readonly bytes: Buffer;
}

async function* cut(body: Buffer, sizes: readonly number[]): AsyncGenerator<Buffer> {
  for (let at = 0, turn = 0; at < body.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1;
    yield body.subarray(at, at + size);
    at += size;
  }
}

async function parts(contentType: string | undefined, body: Buffer, sizes: readonly number[] = [7]): Promise<Whole[]> {
  const found: Whole[] = [];
  for await (const { name, fileName, bytes } of readMultipart(contentType, cut(body, sizes))) {
    const pieces: Buffer[] = [];
    for await (const piece of bytes) pieces.push(piece);
    found.push({ name, fileName, bytes: Buffer.concat(pieces) });
  }
  return found;
}

test('what a form holds arrives, however it is cut', async () => {
  const content = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes));
  const nasty = fc.constantFrom('', '\r\n', '\r\n--', '--', '\r\n--x', '\r\n--x-').map((text) => Buffer.from(text));
  const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(content, nasty), { maxLength: 4 }), sizes, async (contents, cuts) => {
      const form = new FormData();
      for (const [n, bytes] of contents.entries())
        form.append('file', new Blob([new Uint8Array(bytes)]), `a "${n}".bin`);
      form.append('plain', 'täxt');
      const response = new Response(form);
      const body = Buffer.from(await response.arrayBuffer());
      const found = await parts(response.headers.get('content-type') ?? '', body, cuts);
      assert.equal(found.length, contents.length + 1);
      for (const [n, bytes] of contents.entries()) assert.deepEqual(found[n]?.bytes, bytes);
      assert.deepEqual(found.at(-1), { name: 'plain', fileName: null, bytes: Buffer.from('täxt') });
    }),
    { numRuns: 60 },
  );
});

test('text before the first part and after the last is skipped; parts that nobody reads too', async () => {
  const body = Buffer.from(
    'preamble\r\n--b\r\nContent-Disposition: form-data; name=one; filename="x.txt"\r\nContent-Type: text/plain\r\n\r\n1\r\n' +
      '--b  \r\ncontent-disposition: form-data; name="two"\r\n\r\n2\r\n--b--\r\nepilogue',
  );
  const type = 'multipart/form-data; charset=utf-8; boundary="b"';
  assert.deepEqual(await parts(type, body), [
    { name: 'one', fileName: 'x.txt', bytes: Buffer.from('1') },
    { name: 'two', fileName: null, bytes: Buffer.from('2') },
  ]);
  const names: string[] = [];
  for await (const { name } of readMultipart(type, cut(body, [3]))) names.push(name);
  assert.deepEqual(names, ['one', 'two']);
});

test('what is malformed is refused', async () => {
  const head = '--b\r\nContent-Disposition: form-data; name=one\r\n\r\n';
  const cases: readonly (readonly [string | undefined, string])[] = [
    [undefined, `${head}1\r\n--b--`],
    ['application/json', '{}'],
    ['multipart/form-data', `${head}1\r\n--b--`],
    ['multipart/form-data; boundary=b', ''],
    ['multipart/form-data; boundary=b', `${head}1`],
    ['multipart/form-data; boundary=b', `${head}1\r\n--b`],
    ['multipart/form-data; boundary=b', '--b\r\nContent-Type: text/plain\r\n\r\n1\r\n--b--'],
    ['multipart/form-data; boundary=b', '--b and more\r\n\r\n'],
    ['multipart/form-data; boundary=b', `--b\r\nX: ${'x'.repeat(20_000)}`],
  ];
  for (const [type, body] of cases)
    await assert.rejects(parts(type, Buffer.from(body), [1_000]), { name: 'BerthError' }, body.slice(0, 80));
});
