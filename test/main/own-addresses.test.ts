import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ownAddresses } from '../../src/main/own-addresses.ts';

test('addresses of this machine are all but the loopback’s and those made for apps', () => {
  const v4 = (address: string, internal = false) => [{ address, family: 'IPv4' as const, internal }];
  const found = ownAddresses({
    lo: v4('127.0.0.1', true),
    eth0: [...v4('192.0.2.2'), { address: 'fd00::2', family: 'IPv6', internal: false }],
    eth1: v4('10.0.0.2'),
    bth223820n0: v4('10.135.192.1'),
  });
  assert.deepEqual(found, ['192.0.2.2', '10.0.0.2']);
});
