/** What is told of a registry's trouble, and which addresses a daemon may be sent to. Needs no daemon. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonicalImage } from '../../src/core/images/canonical-image.ts';
import { Secret } from '../../src/core/ports/secret.ts';
import { registryAuth } from '../../src/engines/docker/images/registry-auth.ts';
import { troubleWith } from '../../src/engines/docker/images/registry-trouble.ts';
import { createAddressCheck } from '../../src/lib/address-check.ts';

const image = canonicalImage('reg.example.org:5000/team/app:1');

test('texts of daemons become kinds of trouble, and nothing of them is passed on', () => {
  const texts: readonly [status: number, message: string, code: string][] = [
    [500, 'Head "https://reg.example.org:5000/v2/team/app/manifests/1": no basic auth credentials', 'unauthorized'],
    [401, 'unauthorized: authentication required', 'unauthorized'],
    [403, 'something about manifests that were not found', 'unauthorized'],
    [404, 'manifest unknown: manifest unknown', 'not-found'],
    [0, 'manifest for reg.example.org:5000/team/app:1 not found: manifest unknown: manifest unknown', 'not-found'],
    [
      404,
      "pull access denied for app, repository does not exist or may require 'docker login': denied: requested access to the resource is denied",
      'unauthorized',
    ],
    [
      500,
      'Get "https://auth.example.org/token?account=robot&scope=repository%3Ateam%2Fapp%3Apull": unauthorized: incorrect username or password',
      'unauthorized',
    ],
    [500, 'toomanyrequests: You have reached your unauthenticated pull rate limit.', 'refused'],
    [500, 'Get "https://reg.example.org:5000/v2/": http: server gave HTTP response to HTTPS client', 'unreachable'],
    [500, 'Get "https://reg.example.org:5000/v2/": x509: certificate signed by unknown authority', 'unreachable'],
    [
      500,
      'Get "https://reg.example.org:5000/v2/": dial tcp 192.0.2.4:5000: connect: connection refused',
      'unreachable',
    ],
    [500, 'Get "https://reg.example.org:5000/v2/": dial tcp: lookup reg.example.org: no such host', 'unreachable'],
    [500, 'net/http: request canceled (Client.Timeout exceeded while awaiting headers)', 'unreachable'],
    [0, 'no matching manifest for linux/amd64 in the manifest list entries', 'refused'],
    [0, 'write /var/lib/docker/tmp/GetImageBlob123: no space left on device', 'refused'],
    [500, 'error parsing HTTP 200 response body: "<html>a page of somebody else robot</html>"', 'unreachable'],
  ];
  for (const [status, message, code] of texts) {
    for (const signedIn of [true, false]) {
      const trouble = troubleWith({ status, message, image, signedIn });
      assert.equal(trouble.code, code, message);
      assert.match(trouble.message, /reg\.example\.org:5000|no room left/);
      assert.doesNotMatch(trouble.message, /robot|manifest|192\.0|html|GetImage|https:/, message);
    }
  }
  const untrusted = troubleWith({ status: 500, message: texts[8]?.[1] ?? '', image, signedIn: false });
  assert.match(untrusted.message, /insecure-registries.*\/etc\/docker\/certs\.d\/reg\.example\.org:5000/);
});

test('credentials are sent as the Engine API wants them, and the Hub by its old name', () => {
  const decode = (header = ''): unknown => {
    assert.match(header, /^[A-Za-z0-9_-]+={0,2}$/);
    assert.equal(header.length % 4, 0);
    return JSON.parse(Buffer.from(header, 'base64url').toString('utf8'));
  };
  for (const password of ['x', 'xy', 'xyz', 'ÿþ?>~ wörd']) {
    const credentials = { username: 'ann', password: new Secret(password) };
    assert.deepEqual(decode(registryAuth('reg.example.org', credentials)['X-Registry-Auth']), {
      username: 'ann',
      password,
      serveraddress: 'reg.example.org',
    });
    const hub = decode(registryAuth('docker.io', credentials)['X-Registry-Auth']);
    assert.equal((hub as { serveraddress: string }).serveraddress, 'https://index.docker.io/v1/');
  }
  assert.deepEqual(registryAuth('reg.example.org', null), {});
});

test('a host is fine when every address of it is', async () => {
  const names: Record<string, string[]> = {
    'public.test': ['93.184.216.34', '2606:2800:220:1::1'],
    'mixed.test': ['93.184.216.34', '10.0.0.1'],
    'mapped.test': ['::ffff:127.0.0.1'],
    'metadata.test': ['169.254.169.254'],
    'empty.test': [],
  };
  const resolve = async (host: string) => {
    const found = names[host];
    if (found === undefined) throw new Error('ENOTFOUND');
    return found.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
  };
  const strict = createAddressCheck({ allowPrivate: false, allow: [], resolve });
  await strict('public.test');
  await strict('93.184.216.34');
  for (const host of ['mixed.test', 'mapped.test', 'metadata.test', '127.0.0.1', '10.1.2.3'])
    await assert.rejects(strict(host), { code: 'refused-address' }, host);
  for (const host of ['empty.test', 'unknown.test']) await assert.rejects(strict(host), { code: 'dns' }, host);
  const loose = createAddressCheck({ allowPrivate: true, allow: [], resolve });
  for (const host of ['mixed.test', 'mapped.test', '127.0.0.1']) await loose(host);
  await assert.rejects(loose('metadata.test'), { code: 'refused-address' });
});
