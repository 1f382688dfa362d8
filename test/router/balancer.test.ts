import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RouteBackend } from '../../src/core/ports/router.ts';
import { Balancer } from '../../src/router/balancer.ts';
import { defaultLimits } from '../../src/router/limits.ts';
import { indexTable } from '../../src/router/table.ts';
import type { Target } from '../../src/router/target.ts';
import { routeBackend, target } from './support/router-harness.ts';

function balancer(...backends: readonly RouteBackend[]): {
  pick(backend: string, tried?: readonly Target[]): Target;
  none(backend: string, tried?: readonly Target[]): void;
  update(...next: readonly RouteBackend[]): void;
  busy(...ids: string[]): readonly string[];
} {
  const under = new Balancer(defaultLimits);
  const update = (...next: readonly RouteBackend[]): void =>
    under.update(indexTable({ version: 1, routes: [], backends: next, certificates: [] }));
  update(...backends);
  return {
    update,
    pick: (backend, tried = []) => {
      const found = under.pick(backend, 0, tried);
      assert.ok(found !== null);
      found.begin();
      return found;
    },
    none: (backend, tried = []) => assert.equal(under.pick(backend, 0, tried), null),
    busy: (...ids) => under.busy(ids).map((each) => `${each.id}:${each.port}=${each.inFlight}`),
  };
}
const names = (...targets: readonly Target[]): readonly string[] => targets.map((each) => `${each.id}:${each.port}`);

test('each backend takes its targets in turn and the least busy first, whatever goes on in another', () => {
  const { pick, none } = balancer(
    routeBackend('x', [target('i1', 80), target('i2', 80)]),
    routeBackend('y', [target('i1', 81), target('i2', 81), target('i3', 81)]),
    routeBackend('z', []),
  );
  const x = [pick('x'), pick('x'), pick('x')];
  assert.deepEqual(names(...x), ['i1:80', 'i2:80', 'i1:80']);
  assert.deepEqual(names(pick('y'), pick('y'), pick('y')), ['i1:81', 'i2:81', 'i3:81'], 'none of these is busy');
  x[1]?.end();
  assert.deepEqual(names(pick('x')), ['i2:80'], 'it has the least');
  none('z');
  none('unknown');
  none('x', [...x]);
});

test('two backends on the same port of an instance see the same requests in flight', () => {
  const { pick } = balancer(
    routeBackend('x', [target('i1', 80), target('i2', 80)]),
    routeBackend('y', [target('i1', 80), target('i3', 80)]),
  );
  const first = pick('x');
  assert.deepEqual(names(first), ['i1:80']);
  assert.deepEqual(names(pick('y')), ['i3:80'], 'the first instance is busy with the other backend');
});

test('targets keep their counts over tables, and are found by instance on whatever port and host they were', () => {
  const { pick, update, busy } = balancer(
    routeBackend('x', [target('i1', 80)]),
    routeBackend('y', [target('i1', 81)]),
    routeBackend('z', [target('i2', 80)]),
  );
  const [one, other] = [pick('x'), pick('y')];
  pick('z');
  assert.deepEqual(busy('i1'), ['i1:80=1', 'i1:81=1']);
  update(routeBackend('y', [target('i1', 81)]), routeBackend('x', [target('i1', 82)]));
  assert.equal(one.retired, true);
  assert.equal(pick('y'), other, 'it stays');
  pick('x');
  assert.deepEqual(busy('i1'), ['i1:80=1', 'i1:81=2', 'i1:82=1']);
  assert.deepEqual(busy('i2', 'unknown'), ['i2:80=1'], 'out of the table, still busy');
  one.end();
  assert.deepEqual(busy('i1'), ['i1:81=2', 'i1:82=1']);
});
