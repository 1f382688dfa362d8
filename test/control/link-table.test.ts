import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LinkPublisher, linkTable } from '../../src/control/links.ts';
import type { RoutedRows } from '../../src/control/routed-rows.ts';
import { linkTarget } from '../../src/core/instances/link-target.ts';
import type { ProcessType } from '../../src/core/names.ts';
import type { LinkRoute } from '../../src/core/ports/engine.ts';
import { app, instance, noRows } from './routing-rows.ts';

const link = (processType: string, port: number) => ({ name: 'db', processType, port });
const rows: RoutedRows = {
  ...noRows,
  apps: [app('shop')],
  instances: [
    instance('w1', 'shop-id', 'web', '10.0.0.2:80'),
    instance('d1', 'shop-id', 'svc/db', '10.0.0.3:6379'),
    instance('d2', 'shop-id', 'svc/db', '127.0.0.1:41000'),
    instance('d3', 'shop-id', 'svc/db', null),
    instance('m1', 'shop-id', 'svc/mate', '10.0.0.4:9000'),
    instance('o1', 'other-id', 'svc/db', '10.0.0.9:6379'),
  ],
  linked: [
    { appId: 'shop-id', pod: null, links: [link('svc/db', 6380), link('svc/db', 6379)] },
    { appId: 'shop-id', pod: 'svc/pod', links: [link('svc/db', 6379), link('not-there', 1), link('svc/mate', 9000)] },
    { appId: 'gone-id', pod: null, links: [link('svc/db', 6379)] },
  ],
  ports: [
    { appId: 'shop-id', type: 'svc/db' as ProcessType, pod: null, ports: [6379, 6380] },
    { appId: 'shop-id', type: 'svc/mate' as ProcessType, pod: 'svc/pod', ports: [9000] },
  ],
};
const expected: readonly LinkRoute[] = [
  { target: 'shop-id/not-there', spaceId: 'space', port: 1, backends: [] },
  {
    target: 'shop-id/svc/db',
    spaceId: 'space',
    port: 6379,
    backends: [
      { host: '10.0.0.3', port: 6379 },
      { host: '127.0.0.1', port: 41000 },
    ],
  },
  { target: 'shop-id/svc/db', spaceId: 'space', port: 6380, backends: [{ host: '10.0.0.3', port: 6380 }] },
];

test('one route for each linked process and port outside the pod, with the ready instances of that app', () => {
  assert.deepEqual(linkTable(rows), expected);
  assert.equal(linkTarget('shop-id', 'svc/db'), expected[1]?.target);
  assert.deepEqual(linkTable({ ...rows, linked: rows.linked.toReversed() }), expected, 'always in the same order');
  const outside = { appId: 'shop-id', pod: null, links: [link('svc/mate', 9000)] };
  assert.deepEqual(
    linkTable({ ...rows, linked: [...rows.linked, outside] }),
    [
      ...expected,
      { target: 'shop-id/svc/mate', spaceId: 'space', port: 9000, backends: [{ host: '10.0.0.4', port: 9000 }] },
    ],
    'from outside its pod it is a process like any other',
  );
  assert.deepEqual(linkTable(noRows), []);
});

test('the engine is told at first, on a change, and again until it has heard it', async () => {
  const told: (readonly LinkRoute[])[] = [];
  let down = false;
  const publisher = new LinkPublisher({
    routeLinks: async (routes) => {
      if (down) throw new Error('down');
      told.push(routes);
    },
  });
  const fewer = { ...rows, instances: rows.instances.filter(({ id }) => id !== 'd1') };
  await publisher.publish(noRows);
  assert.deepEqual([...told], [[]], 'an engine may still have what a server before told it');
  await publisher.publish(rows);
  await publisher.publish(rows);
  assert.deepEqual(told.slice(1), [expected]);
  down = true;
  await assert.rejects(publisher.publish(fewer), /down/);
  down = false;
  // What failed may have arrived: the former table is news again.
  await publisher.publish(rows);
  assert.equal(told.length, 3);
  await publisher.publish(fewer);
  assert.deepEqual(
    told[3]?.map((route) => route.backends.length),
    [0, 1, 0],
  );
  publisher.forget();
  await publisher.publish(fewer);
  assert.equal(told.length, 5, 'another server may have told it something else');
});
