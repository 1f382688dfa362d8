import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { forwardedLines, identify, trustedProxies } from '../../src/router/forwarded.ts';
import { defaultLimits } from '../../src/router/limits.ts';
import { requestHeadText, responseHeadText } from '../../src/router/message-heads.ts';
import { parseRequestHead, type RequestHead, RequestRefusal } from '../../src/router/request-head.ts';
import { parseResponseHead } from '../../src/router/response-head.ts';

const stranger = identify('::ffff:9.9.9.9', 7780, false, null);

function parse(text: string): RequestHead {
  const head = parseRequestHead(Buffer.from(text, 'latin1'), defaultLimits);
  assert.ok(head !== null && !(head instanceof RequestRefusal), `refused: ${JSON.stringify(head)}`);
  return head;
}

function forward(head: RequestHead, client = stranger): readonly string[] {
  const text = requestHeadText(head, head.target, forwardedLines(client, head.authority, head.fields), 'rid');
  assert.ok(text.endsWith('\r\n\r\n'));
  return text.slice(0, -4).split('\r\n').slice(1);
}

const names = (lines: readonly string[]): readonly string[] =>
  lines.map((line) => line.slice(0, line.indexOf(':')).toLowerCase());

const plainName = fc
  .stringMatching(/^X-[A-Za-z0-9-]{1,12}$/)
  .filter((name) => !/^x-(forwarded|real|client|request)/i.test(name));
const value = fc.stringMatching(/^[!-~]{0,20}$/);
const mix = (text: string): fc.Arbitrary<string> =>
  fc
    .array(fc.boolean(), { minLength: text.length, maxLength: text.length })
    .map((upper) => [...text].map((letter, at) => (upper[at] === true ? letter.toUpperCase() : letter)).join(''));
const dangerous = fc
  .constantFrom(
    'keep-alive',
    'te',
    'proxy-connection',
    'proxy-authorization',
    'proxy',
    'forwarded',
    'x-forwarded-for',
    'x-forwarded-proto',
    'x-forwarded-host',
    'x-forwarded-port',
    'x-real-ip',
    'x-request-id',
    'x_forwarded_for',
    'x_request_id',
    'transfer_encoding',
    'content_length',
    'http2-settings',
  )
  .chain(mix);

test('of the headers of a stranger, plain ones go on untouched and in order, dangerous ones never', () => {
  const field = fc.tuple(fc.oneof(plainName, dangerous), value);
  fc.assert(
    fc.property(fc.array(field, { maxLength: 20 }), (fields) => {
      const text = fields.map(([name, each]) => `${name}: ${each}\r\n`).join('');
      const lines = forward(parse(`GET / HTTP/1.1\r\nHost: a.test\r\n${text}\r\n`));
      const plain = lines.filter((line) => /^x-/i.test(line) && !/^x-(forwarded|request)/i.test(line));
      const expected = fields.filter(([name]) => !/^(x-(forwarded|real|request)|x_|[^x])/i.test(name));
      assert.deepEqual(
        plain,
        expected.map(([name, each]) => `${name}: ${each}`),
      );
      const ours = [
        'x-forwarded-for',
        'x-forwarded-proto',
        'x-forwarded-host',
        'x-forwarded-port',
        'forwarded',
        'x-request-id',
      ];
      assert.deepEqual(
        names(lines).filter(
          (name) => name !== 'host' && !plain.some((line) => line.toLowerCase().startsWith(`${name}:`)),
        ),
        ours,
      );
      assert.ok(lines.includes('X-Forwarded-For: 9.9.9.9'));
    }),
  );
});

test('headers named in Connection stay behind, Host and framing do not', () => {
  const head = parse(
    'POST / HTTP/1.1\r\nHost: a.test\r\nConnection: close, X-Secret, host, content-length\r\nX-Secret: 1\r\nContent-Length: 3\r\nX-Kept: 2\r\n\r\n',
  );
  assert.equal(head.keepAlive, false);
  const lines = forward(head);
  assert.deepEqual(
    names(lines).filter((name) => !/^(x-)?forwarded|^x-request-id/.test(name)),
    ['host', 'x-kept', 'content-length'],
  );
});

test('a trusted proxy is believed and continued', () => {
  const client = identify('10.1.2.3', 7780, false, trustedProxies(['10.0.0.0/8', '::1']));
  const head = parse(
    'GET / HTTP/1.1\r\nHost: a.test\r\nX-Forwarded-For: 1.1.1.1\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Port: 443\r\nForwarded: for=1.1.1.1\r\n\r\n',
  );
  const lines = forward(head, client);
  assert.ok(lines.includes('X-Forwarded-For: 1.1.1.1, 10.1.2.3'));
  assert.ok(lines.includes('X-Forwarded-Proto: https'));
  assert.ok(lines.includes('X-Forwarded-Port: 443'));
  assert.ok(lines.includes('Forwarded: for=1.1.1.1, for=10.1.2.3;host="a.test";proto=http'));
  assert.equal(identify('11.1.2.3', 1, false, trustedProxies(['10.0.0.0/8'])).trusted, false);
  assert.throws(() => trustedProxies(['example.com']));
});

test('a response keeps its headers but for those of one hop', () => {
  const text =
    'HTTP/1.1 200 Fine\r\nSet-Cookie: a\r\nset-cookie: b\r\nConnection: keep-alive, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\nContent-Length: 2\r\nUpgrade: h2\r\n\r\n';
  const head = parseResponseHead(text, defaultLimits);
  assert.ok(head !== null && head !== 'malformed');
  assert.equal(head.keepAliveMs, 5000);
  assert.equal(
    responseHeadText(head, { connection: '', contentLength: 2, chunked: false }),
    'HTTP/1.1 200 Fine\r\nSet-Cookie: a\r\nset-cookie: b\r\nContent-Length: 2\r\n\r\n',
  );
});

test('a head that comes in any pieces reads the same as in one', () => {
  const whole = 'POST /a?b HTTP/1.1\r\nHost: a.test:80\r\nX-A:  v \r\nContent-Length: 5\r\n\r\nhello';
  const expected = parse(whole);
  assert.equal(whole.slice(expected.bytes), 'hello');
  for (let length = 0; length < whole.length; length++) {
    const head = parseRequestHead(Buffer.from(whole.slice(0, length)), defaultLimits);
    if (length < expected.bytes) assert.equal(head, null, `at ${length}`);
    else assert.deepEqual(head, expected);
  }
});
