/** Where new instances go: the rules one by one, and what must hold for any fleet. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type PlacementNode, place, type Wanted } from '../../src/engines/common/placement.ts';

const gigabyte = 2 ** 30;
const wanted = (change: Partial<Wanted> = {}): Wanted => ({
  appId: 'app',
  processType: 'web',
  poolId: 'pool',
  limits: { memoryBytes: gigabyte, cpuShares: 1024, pids: 100 },
  ...change,
});
const node = (id: string, change: Partial<PlacementNode> = {}): PlacementNode => ({
  ...{ id, poolId: 'pool', ready: true, schedulable: true, memoryBytes: 8 * gigabyte, cpus: 2 },
  ...{ volumes: new Set<string>(), instances: [] },
  ...change,
});
const instance = (change: Partial<PlacementNode['instances'][number]> = {}) => ({
  ...{ appId: 'app', processType: 'web', memoryBytes: gigabyte, pod: null },
  ...change,
});

test('an app is spread: by process, then by app, then to the most memory, then by name', () => {
  const busy = node('a', { instances: [instance()] });
  assert.deepEqual(place(wanted(), [busy, node('b')]), { nodeId: 'b' });
  const other = node('b', { instances: [instance({ processType: 'worker' })] });
  assert.deepEqual(place(wanted(), [busy, other]), { nodeId: 'b' });
  assert.deepEqual(place(wanted(), [other, node('c', { memoryBytes: 2 * gigabyte })]), { nodeId: 'c' });
  assert.deepEqual(place(wanted(), [node('a'), node('b', { memoryBytes: 9 * gigabyte })]), { nodeId: 'b' });
  assert.deepEqual(place(wanted(), [node('b'), node('a')]), { nodeId: 'a' });
});

test('memory is promised twice only when every node is full', () => {
  const full = node('a', { memoryBytes: gigabyte / 2 });
  const crowded = node('b', { instances: [instance(), instance()] });
  assert.deepEqual(place(wanted(), [full, crowded]), { nodeId: 'b' });
  assert.deepEqual(place(wanted(), [full]), { nodeId: 'a' });
});

test('members of a pod share a node; a volume decides where it lies', () => {
  const mounts = [{ volumeId: 'v', path: '/data' }];
  const member = node('b', { memoryBytes: gigabyte, instances: [instance({ pod: 'p' }), instance()] });
  assert.deepEqual(place(wanted({ pod: 'p' }), [node('a'), member]), { nodeId: 'b' });
  const holder = node('b', { instances: [instance(), instance()], volumes: new Set(['v']) });
  assert.deepEqual(place(wanted({ mounts }), [node('a'), holder]), { nodeId: 'b' });
  assert.deepEqual(place(wanted({ mounts, pod: 'p' }), [{ ...holder, id: 'c' }, member]), { nodeId: 'b' });
  assert.deepEqual(place(wanted({ mounts }), [node('a'), { ...holder, schedulable: false }]), { nodeId: 'a' });
});

test('a refusal says what is in the way', () => {
  const refused = (...nodes: PlacementNode[]): string => {
    const placement = place(wanted({ mounts: [{ volumeId: 'v', path: '/data' }] }), nodes);
    return 'refused' in placement ? placement.refused : '';
  };
  assert.match(refused(), /no node in its pool/);
  assert.match(refused(node('a', { poolId: 'another' })), /no node in its pool/);
  assert.match(refused(node('a', { ready: false })), /is ready/);
  assert.match(refused(node('a', { ready: false }), node('b', { schedulable: false })), /takes new instances/);
  assert.match(refused(node('a'), node('b', { ready: false, volumes: new Set(['v']) })), /volume lies on node b/);
});

const name = fc.constantFrom('a', 'b', 'c');
const anyInstance = fc.record({
  ...{ appId: name, processType: name, pod: fc.option(name) },
  memoryBytes: fc.integer({ min: 0, max: 4 }).map((count) => count * gigabyte),
});
const anyNode = fc.record({
  ...{ id: fc.uuid(), poolId: fc.option(name), ready: fc.boolean(), schedulable: fc.boolean(), cpus: fc.constant(2) },
  memoryBytes: fc.integer({ min: 0, max: 8 }).map((count) => count * gigabyte),
  volumes: fc.array(name).map((names) => new Set(names)),
  instances: fc.array(anyInstance, { maxLength: 5 }),
});
const fleet = fc.uniqueArray(anyNode, { selector: ({ id }) => id, maxLength: 6 });
const anyWanted: fc.Arbitrary<Wanted> = fc.record(
  {
    ...{ appId: name, processType: name, poolId: name, pod: fc.option(name) },
    limits: fc.constant({ memoryBytes: gigabyte, cpuShares: 1024, pids: 100 }),
    mounts: fc.array(fc.record({ volumeId: name, path: fc.constant('/data') }), { maxLength: 2 }),
  },
  { requiredKeys: ['appId', 'processType', 'limits'] },
);

test('for any fleet: never a node that may not be used, never a pod apart, and the order of nodes says nothing', () => {
  fc.assert(
    fc.property(anyWanted, fleet, (spec, nodes) => {
      const placement = place(spec, nodes);
      assert.deepEqual(place(spec, nodes.toReversed()), placement);
      const usable = nodes.filter(
        ({ ready, schedulable, poolId }) =>
          ready && schedulable && (spec.poolId === undefined || poolId === null || poolId === spec.poolId),
      );
      if ('refused' in placement) {
        const lies = (each: PlacementNode) => spec.mounts?.some(({ volumeId }) => each.volumes.has(volumeId)) === true;
        assert.ok(usable.length === 0 || nodes.some((each) => !each.ready && lies(each)), placement.refused);
        return;
      }
      const chosen = usable.find(({ id }) => id === placement.nodeId);
      assert.ok(chosen, 'a usable node');
      const members = (each: PlacementNode) => each.instances.filter(({ pod }) => pod === spec.pod).length;
      if (spec.pod !== undefined && spec.pod !== null && usable.some(members)) assert.ok(members(chosen) > 0);
    }),
  );
});

test('one after the other, instances of a process end up evenly on equal nodes', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 0, max: 20 }), (size, count) => {
      const nodes = Array.from({ length: size }, (_, at) => ({ ...node(`n${at}`), instances: [instance()].slice(1) }));
      for (let each = 0; each < count; each++) {
        const placement = place(wanted(), nodes);
        assert.ok('nodeId' in placement);
        nodes.find(({ id }) => id === placement.nodeId)?.instances.push(instance());
      }
      const counts = nodes.map(({ instances }) => instances.length);
      assert.ok(Math.max(...counts) - Math.min(...counts) <= 1, counts.join(' '));
    }),
  );
});
