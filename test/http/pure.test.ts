/** The parts that only compute. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseAuthorization } from '../../src/http/credentials.ts';
import { acceptsGzip } from '../../src/http/gzip.ts';
import { byHost, hostName } from '../../src/http/host-dispatch.ts';
import { escapeHtml } from '../../src/http/landing-page.ts';

test('host names lose their port, case and final dot', () => {
  assert.equal(hostName('Akkeris.Berth.localhost.:7700'), 'akkeris.berth.localhost');
  assert.equal(hostName('[::1]:7700'), '[::1]');
  assert.equal(hostName(undefined), '');
  const find = byHost([{ hostLabel: 'one' }], 'Berth.test');
  assert.deepEqual(
    [find('ONE.berth.test')?.hostLabel, find('two.berth.test'), find('one')],
    ['one', undefined, undefined],
  );
});

test('credentials in every form', () => {
  const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;
  assert.equal(parseAuthorization(undefined), null);
  assert.equal(parseAuthorization(basic('no colon')), null);
  const pair = parseAuthorization(basic('user:pass:word'));
  assert.ok(pair?.scheme === 'basic' && pair.username === 'user' && pair.password.reveal() === 'pass:word');
  const bearer = parseAuthorization('bEARER abc');
  assert.ok(bearer?.scheme === 'bearer' && bearer.token.reveal() === 'abc');
  const bare = parseAuthorization('abc');
  assert.ok(bare?.scheme === 'other' && bare.word === '' && bare.value.reveal() === 'abc');
  const other = parseAuthorization('Token abc');
  assert.ok(other?.scheme === 'other' && other.word === 'token');
});

test('gzip is for those who ask for it', () => {
  for (const yes of ['gzip', 'br, gzip', 'deflate,gzip;q=0.5', 'GZIP ; q=1.0']) assert.ok(acceptsGzip(yes), yes);
  for (const no of [undefined, '', 'br', 'gzip;q=0', 'gzip;q=0.0', 'xgzip']) assert.ok(!acceptsGzip(no), String(no));
});

test('text in a page stays text', () => {
  assert.equal(escapeHtml('<a href="x">&\'</a>'), '&#60;a href=&#34;x&#34;&#62;&#38;&#39;&#60;/a&#62;');
});
