import assert from 'node:assert/strict';
import { test } from 'node:test';
import { linkVariables } from '../../src/core/instances/link-variables.ts';

test('a link is told as Docker tells it', () => {
  const at = { host: '10.128.15.9', port: 6379 };
  assert.deepEqual(linkVariables('shop-perf', [{ name: 'my-redis', port: 6379, at }]), {
    MY_REDIS_PORT: 'tcp://10.128.15.9:6379',
    MY_REDIS_NAME: '/shop-perf/my-redis',
    MY_REDIS_PORT_6379_TCP: 'tcp://10.128.15.9:6379',
    MY_REDIS_PORT_6379_TCP_ADDR: '10.128.15.9',
    MY_REDIS_PORT_6379_TCP_PORT: '6379',
    MY_REDIS_PORT_6379_TCP_PROTO: 'tcp',
  });
  assert.deepEqual(linkVariables('shop', []), {});
});

test('names carry the declared port, values the real one; the lowest port of a name is its main one', () => {
  const variables = linkVariables('shop', [
    { name: 'db', port: 9000, at: { host: '127.0.0.1', port: 20_001 } },
    { name: 'db', port: 5432, at: { host: '127.0.0.1', port: 20_002 } },
  ]);
  assert.equal(variables.DB_PORT, 'tcp://127.0.0.1:20002');
  assert.equal(variables.DB_PORT_9000_TCP_PORT, '20001');
  assert.equal(variables.DB_PORT_5432_TCP, 'tcp://127.0.0.1:20002');
  assert.equal(Object.keys(variables).length, 10);
});
