import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RoutedRows } from '../../src/control/routed-rows.ts';
import { routingTable } from '../../src/control/routing.ts';
import { addressOf } from '../../src/core/instances/address.ts';
import type { ProcessType } from '../../src/core/names.ts';
import type { RoutingTable } from '../../src/core/ports/router.ts';
import { app, domain, instance, noRows } from './routing-rows.ts';

const ports = (type: string, ...numbers: number[]): RoutedRows['ports'][number] => ({
  appId: 'shop-id',
  type: type as ProcessType,
  pod: null,
  ports: numbers,
});

/** The table as lines: `host/prefix > backend = id@host:port …`. */
function shown(table: RoutingTable): readonly string[] {
  return table.routes.map((route) => {
    const backend = table.backends.find((each) => each.id === route.backend);
    assert.ok(backend !== undefined, route.backend);
    const targets = backend.targets.map(
      (target) => ` ${target.processType}.${target.id}@${target.host}:${target.port}`,
    );
    return `${route.host}${route.pathPrefix} > ${backend.appId} ${backend.mode}${targets.join('')}`;
  });
}
const table = (rows: Partial<RoutedRows>): readonly string[] =>
  shown(routingTable(1, 'berth.test', { ...noRows, ...rows }));

test('the default host and domains without a process lead to routed instances only', () => {
  const instances = [
    instance('w1', 'shop-id', 'web', '10.0.0.2:41000'),
    instance('d1', 'shop-id', 'db', '10.0.0.3:6379'),
    instance('w2', 'shop-id', 'web', null),
    instance('x1', 'other-id', 'web', '10.0.0.9:80'),
  ];
  assert.deepEqual(
    table({ apps: [app('shop'), app('rest', true)], instances, domains: [domain('shop-id', 'shop.example')] }),
    [
      'shop.berth.test/ > shop-id serving web.w1@10.0.0.2:41000',
      'rest.berth.test/ > rest-id maintenance',
      'shop.example/ > shop-id serving web.w1@10.0.0.2:41000',
    ],
  );
});

test('a domain with a process and port leads to that port of its instances, whether they are routed or not', () => {
  const instances = [
    instance('w1', 'shop-id', 'web', '10.0.0.2:80'),
    instance('d1', 'shop-id', 'db', '10.0.0.3:6379'),
    instance('d2', 'shop-id', 'db', '10.0.0.4:6379'),
  ];
  const domains = [
    domain('shop-id', 'admin.example', { processType: 'db', port: 8080 }),
    domain('shop-id', 'data.example', { processType: 'db', port: 6379, pathPrefix: '/d' }),
    domain('shop-id', 'also.example', { processType: 'db', port: 8080 }),
    domain('shop-id', 'web.example', { processType: 'web', port: 80 }),
    domain('shop-id', 'none.example', { processType: 'gone', port: 80 }),
    domain('gone-id', 'lost.example', { processType: 'db', port: 80 }),
  ];
  const rows = { apps: [app('shop')], instances, domains, ports: [ports('db', 6379, 8080), ports('web', 80)] };
  const both = (port: number): string => ` db.d1@10.0.0.3:${port} db.d2@10.0.0.4:${port}`;
  assert.deepEqual(table(rows), [
    'shop.berth.test/ > shop-id serving web.w1@10.0.0.2:80',
    `admin.example/ > shop-id serving${both(8080)}`,
    `data.example/d > shop-id serving${both(6379)}`,
    `also.example/ > shop-id serving${both(8080)}`,
    'web.example/ > shop-id serving web.w1@10.0.0.2:80',
    'none.example/ > shop-id serving',
  ]);
  const { backends } = routingTable(1, 'berth.test', { ...noRows, ...rows });
  assert.equal(new Set(backends.map((backend) => backend.id)).size, backends.length);
  assert.equal(backends.length, 5, 'routes to the same process and port share a backend');
});

test('the routes of an app in maintenance all show its page', () => {
  const domains = [domain('shop-id', 'data.example', { processType: 'db', port: 6379 })];
  assert.deepEqual(table({ apps: [app('shop', true)], domains, ports: [ports('db', 6379)] }), [
    'shop.berth.test/ > shop-id maintenance',
    'data.example/ > shop-id maintenance',
  ]);
});

test('the first port is where the row says; others are at the same host only in a network of its own', () => {
  const at = (address: string | null, declared: readonly number[], wanted: number | null): string | null => {
    const found = addressOf(instance('i', 'a', 'p', address), declared, wanted);
    return found === null ? null : `${found.host}:${found.port}`;
  };
  const declared = [80, 8080];
  assert.equal(at(null, declared, 80), null);
  // Honoured.
  assert.equal(at('10.0.0.2:80', declared, 80), '10.0.0.2:80');
  assert.equal(at('10.0.0.2:80', declared, 8080), '10.0.0.2:8080');
  assert.equal(at('10.0.0.2:80', declared, null), '10.0.0.2:80');
  assert.equal(at('10.0.0.2:80', declared, 22), null, 'a port that it does not declare');
  // Not honoured: the numbers of the machine are not the instance's.
  assert.equal(at('10.0.0.2:41000', declared, 80), '10.0.0.2:41000');
  assert.equal(at('10.0.0.2:41000', declared, 8080), null);
  assert.equal(at('10.0.0.2:8080', declared, 8080), null, 'the first port of another number is not the second');
  assert.equal(at('127.0.0.1:80', declared, 80), '127.0.0.1:80');
  for (const host of ['127.0.0.1', '127.0.0.53', 'localhost'])
    assert.equal(at(`${host}:80`, declared, 8080), null, 'the machine itself');
  // Nothing is declared: it has the one port.
  assert.equal(at('127.0.0.1:41000', [], 41000), '127.0.0.1:41000');
  assert.equal(at('127.0.0.1:41000', [], null), '127.0.0.1:41000');
  assert.equal(at('10.0.0.2:41000', [], 80), null);
});
