import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hostEnvironment } from '../../src/main/host-environment.ts';

test('apps get certificates and proxies of the machine, and nothing that tells a secret', () => {
  const given = {
    NODE_EXTRA_CA_CERTS: '/etc/ssl/certs/own.pem',
    SSL_CERT_FILE: '/home/someone/own.pem',
    SSL_CERT_DIR: '/etc/ssl/../../root',
    PIP_CERT: '/etc/pki/own.pem',
    HTTPS_PROXY: 'http://user:password@proxy.example:3128',
    http_proxy: 'http://proxy.example:3128',
    NO_PROXY: '',
    BERTH_ADMIN_TOKEN: 'token',
    PATH: '/bin',
  };
  assert.deepEqual(hostEnvironment(given), {
    NODE_EXTRA_CA_CERTS: '/etc/ssl/certs/own.pem',
    PIP_CERT: '/etc/pki/own.pem',
    http_proxy: 'http://proxy.example:3128',
  });
});
