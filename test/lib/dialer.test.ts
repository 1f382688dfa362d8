import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { createDialer, DialError, type DialerOptions, type DialResponse } from '../../src/lib/dialer.ts';
import { createAddressRules } from '../../src/lib/dialer-address.ts';
import { collectBytes, LimitExceeded } from '../../src/lib/streams.ts';

async function serve(t: TestContext, listener: RequestListener): Promise<number> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

function dialerOf(t: TestContext, options: Partial<DialerOptions> = {}) {
  const dialer = createDialer({ allowPrivate: false, allow: [], ...options });
  t.after(() => dialer.close());
  return dialer;
}

const bounds = { timeoutMs: 5_000, maxBytes: 10_000 };
const text = async (response: DialResponse): Promise<string> => (await collectBytes(response.body, 10_000)).toString();
const hasCode = (code: DialError['code']) => (error: unknown) => error instanceof DialError && error.code === code;

test('knows which addresses are public, in whatever form they hide', () => {
  const rules = createAddressRules({ allowPrivate: false, allow: [] });
  const refused =
    '127.0.0.1 127.9.9.9 0.0.0.0 10.1.2.3 172.16.0.1 172.31.255.255 192.168.1.1 169.254.169.254 100.64.0.1 198.18.0.1 224.0.0.1 255.255.255.255 240.0.0.1 ' +
    ':: ::1 fe80::1 fe80::1%eth0 fc00::1 fd12::1 ff02::1 ::ffff:127.0.0.1 ::ffff:7f00:1 ::ffff:10.0.0.1 ::127.0.0.1 64:ff9b::127.0.0.1 64:ff9b::a00:1 2002:7f00:1:: 2001:db8::1 localhost not-an-ip';
  for (const address of refused.split(' ')) assert.equal(rules.isAllowed('x.example', address), false, address);
  for (const address of [
    '1.1.1.1',
    '172.32.0.1',
    '192.169.0.1',
    '2606:4700::1111',
    '::ffff:1.1.1.1',
    '64:ff9b::1.1.1.1',
  ]) {
    assert.equal(rules.isAllowed('x.example', address), true, address);
  }
});

test('a setting allows private addresses, but link-local ones only by name', () => {
  const lax = createAddressRules({ allowPrivate: true, allow: [] });
  for (const address of ['127.0.0.1', '10.0.0.1', '::1', 'fd00::1', '::ffff:192.168.0.1'])
    assert.equal(lax.isAllowed('x', address), true, address);
  for (const address of ['169.254.169.254', 'fe80::1', '0.0.0.0', '224.0.0.1'])
    assert.equal(lax.isAllowed('x', address), false, address);
  const listed = createAddressRules({
    allowPrivate: false,
    allow: ['10.1.0.0/16', 'Git.Internal', '169.254.1.1', 'fd00::/8'],
  });
  assert.equal(listed.isAllowed('x', '10.1.2.3'), true);
  assert.equal(listed.isAllowed('x', '::ffff:10.1.2.3'), true);
  assert.equal(listed.isAllowed('x', '10.2.0.1'), false);
  assert.equal(listed.isAllowed('git.internal', '127.0.0.1'), true);
  assert.equal(listed.isAllowed('x', '169.254.1.1'), true);
  assert.equal(listed.isAllowed('x', 'fd00::5'), true);
});

test('refuses a loopback URL in every spelling before it connects', async (t) => {
  let requests = 0;
  const port = await serve(t, (_request, response) => {
    requests += 1;
    response.end('secret');
  });
  const dialer = dialerOf(t);
  for (const host of [
    '127.0.0.1',
    'localhost',
    '2130706433',
    '0x7f.1',
    '0177.0.0.1',
    '127.1',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '0.0.0.0',
  ]) {
    const url = `http://${host}:${port}/`;
    await assert.rejects(dialer.dial({ url, ...bounds }), hasCode('refused-address'), host);
  }
  assert.equal(requests, 0);
});

test('refuses a name when any of its addresses is private, and one that changes its mind', async (t) => {
  const port = await serve(t, (_request, response) => response.end('secret'));
  const answers = [
    [
      { address: '1.1.1.1', family: 4 },
      { address: '127.0.0.1', family: 4 },
    ],
    [{ address: '::1', family: 6 }],
    [],
  ];
  let asked = 0;
  const dialer = dialerOf(t, { resolve: async () => answers[asked++] ?? [] });
  const url = `http://rebind.example:${port}/`;
  await assert.rejects(dialer.dial({ url, ...bounds }), hasCode('refused-address'));
  await assert.rejects(dialer.dial({ url, ...bounds }), hasCode('refused-address'));
  await assert.rejects(dialer.dial({ url, ...bounds }), hasCode('dns'));
  assert.equal(asked, 3, 'each connection resolves once: what was checked is what is used');
});

test('checks each redirect again', async (t) => {
  const port = await serve(t, (request, response) => {
    const to =
      request.url === '/loopback'
        ? `http://127.0.0.1:${port}/x`
        : request.url === '/file'
          ? 'file:///etc/passwd'
          : '/again';
    response.writeHead(302, { location: to }).end();
  });
  const resolve = async () => [{ address: '127.0.0.1', family: 4 }];
  const dialer = dialerOf(t, { allow: ['allowed.example'], resolve });
  const dial = (path: string) => dialer.dial({ url: `http://allowed.example:${port}${path}`, ...bounds });
  await assert.rejects(dial('/loopback'), hasCode('refused-address'));
  await assert.rejects(dial('/file'), hasCode('url'));
  await assert.rejects(dial('/again'), hasCode('redirects'));
});

test('gives the body, and sends credentials only where they belong', async (t) => {
  const seen: (string | undefined)[] = [];
  const other = await serve(t, (request, response) => {
    seen.push(request.headers.authorization);
    response.end('other');
  });
  const port = await serve(t, (request, response) => {
    seen.push(request.headers.authorization);
    if (request.url === '/away') response.writeHead(302, { location: `http://127.0.0.1:${other}/` }).end();
    else if (request.url === '/home') response.writeHead(307, { location: '/body' }).end();
    else request.pipe(response);
  });
  const dialer = dialerOf(t, { allowPrivate: true });
  assert.equal(await text(await dialer.dial({ url: `http://me:p%40ss@127.0.0.1:${port}/away`, ...bounds })), 'other');
  assert.deepEqual(seen.splice(0), [`Basic ${btoa('me:p@ss')}`, undefined]);
  const posted = await dialer.dial({
    url: `http://u:p@127.0.0.1:${port}/home`,
    method: 'POST',
    body: 'echo',
    ...bounds,
  });
  assert.equal(await text(posted), 'echo');
  assert.deepEqual(seen, [`Basic ${btoa('u:p')}`, `Basic ${btoa('u:p')}`]);
});

test('bounds time and size', async (t) => {
  const port = await serve(t, (request, response) => {
    if (request.url === '/large') response.end('x'.repeat(20_000));
    else if (request.url === '/drip') response.write('x');
  });
  const dialer = dialerOf(t, { allowPrivate: true });
  const large = await dialer.dial({ url: `http://127.0.0.1:${port}/large`, ...bounds });
  await assert.rejects(collectBytes(large.body, 1_000_000), LimitExceeded);
  await assert.rejects(
    dialer.dial({ url: `http://127.0.0.1:${port}/silent`, ...bounds, timeoutMs: 100 }),
    hasCode('timeout'),
  );
  const drip = await dialer.dial({ url: `http://127.0.0.1:${port}/drip`, ...bounds, timeoutMs: 3_000 });
  await assert.rejects(collectBytes(drip.body, 1_000_000));
  const controller = new AbortController();
  const aborted = dialer.dial({ url: `http://127.0.0.1:${port}/silent`, ...bounds, signal: controller.signal });
  controller.abort();
  await assert.rejects(aborted, hasCode('aborted'));
});

test('says in words what is wrong, without the secrets of the URL', async (t) => {
  const dialer = dialerOf(t, { allowPrivate: true });
  for (const url of [
    'http://user:hunter2@127.0.0.1:1/path?token=hunter2',
    'ftp://user:hunter2@x/',
    'http://hunter2 x/',
  ]) {
    await assert.rejects(dialer.dial({ url, ...bounds }), (error) => {
      assert.ok(error instanceof DialError);
      assert.doesNotMatch(error.message, /hunter2/);
      return true;
    });
  }
});
