import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Balanced, planRebalance } from '../../src/core/nodes/rebalance.ts';

const nodes = ['a', 'b', 'c', 'd'];

const on = (group: string, counts: readonly number[], movable = true): Balanced[] =>
  counts.flatMap((count, node) =>
    Array.from({ length: count }, (_, n) => ({
      id: `${group}-${nodes[node]}-${n}`,
      group,
      nodeId: nodes[node] ?? '',
      movable,
    })),
  );

/** By group, by node. */
function countsOf(nodeIds: readonly string[], instances: readonly Balanced[]): Map<string, number[]> {
  const counts = new Map<string, number[]>();
  for (const { group, nodeId } of instances) {
    const row = counts.get(group) ?? nodeIds.map(() => 0);
    const at = nodeIds.indexOf(nodeId);
    row[at] = (row[at] ?? 0) + 1;
    counts.set(group, row);
  }
  return counts;
}

const unevenness = (counts: readonly number[]): number => Math.max(...counts) - Math.min(...counts);
const totalsOf = (nodeIds: readonly string[], instances: readonly Balanced[]): number[] =>
  nodeIds.map((id) => instances.filter(({ nodeId }) => nodeId === id).length);

/** All ways to spread `total` over nodes so that counts differ by one at most. */
function evenSpreads(total: number, size: number): number[][] {
  const base = Math.floor(total / size);
  const extra = total - base * size;
  const ways: number[][] = [];
  for (let mask = 0; mask < 2 ** size; mask += 1) {
    const counts = Array.from({ length: size }, (_, at) => base + ((mask >> at) & 1));
    if (counts.reduce((sum, count) => sum + count, 0) === total && extra >= 0) ways.push(counts);
  }
  return ways;
}

/** The least unevenness of all together, and the fewest moves to it, by trying every outcome. */
function best(before: readonly number[][], size: number): { unevenness: number; moves: number } {
  let found = { unevenness: Number.POSITIVE_INFINITY, moves: Number.POSITIVE_INFINITY };
  const walk = (at: number, totals: readonly number[], moves: number): void => {
    const counts = before[at];
    if (counts === undefined) {
      const uneven = Math.max(1, unevenness(totals));
      if (uneven < found.unevenness || (uneven === found.unevenness && moves < found.moves))
        found = { unevenness: uneven, moves };
      return;
    }
    for (const after of evenSpreads(
      counts.reduce((sum, count) => sum + count, 0),
      size,
    )) {
      const moved = counts.reduce((sum, count, node) => sum + Math.max(0, count - (after[node] ?? 0)), 0);
      walk(
        at + 1,
        totals.map((total, node) => total + (after[node] ?? 0)),
        moves + moved,
      );
    }
  };
  walk(
    0,
    Array.from({ length: size }, () => 0),
    0,
  );
  return found;
}

/** Puts what is moved where a placement would: the fewest of its group first, then the emptiest node. */
function applied(nodeIds: readonly string[], instances: readonly Balanced[], moved: readonly string[]): Balanced[] {
  let after = [...instances];
  for (const id of moved) {
    const one = after.find((instance) => instance.id === id);
    assert.ok(one !== undefined);
    const rest = after.filter((instance) => instance.id !== id);
    const rank = (node: string): number =>
      rest.filter((other) => other.nodeId === node && other.group === one.group).length * 1_000 +
      rest.filter((other) => other.nodeId === node).length;
    const [target = ''] = nodeIds.toSorted((left, right) => rank(left) - rank(right));
    after = [...rest, { ...one, nodeId: target }];
  }
  return after;
}

const situations = fc.record({
  size: fc.integer({ min: 1, max: 4 }),
  groups: fc.array(fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 4, maxLength: 4 }), {
    minLength: 1,
    maxLength: 4,
  }),
});

test('no plan with fewer moves makes every process and all together as even', () => {
  fc.assert(
    fc.property(situations, ({ size, groups }) => {
      const ids = nodes.slice(0, size);
      const before = groups.map((counts) => counts.slice(0, size));
      const instances = before.flatMap((counts, at) => on(`g${at}`, counts));
      const moved = planRebalance(ids, instances);
      assert.equal(new Set(moved).size, moved.length);
      assert.equal(moved.length, size < 2 ? 0 : best(before, size).moves);
    }),
    { numRuns: 500 },
  );
});

test('once carried out everything is even, and planning again gives nothing', () => {
  fc.assert(
    fc.property(situations, ({ size, groups }) => {
      const ids = nodes.slice(0, size);
      let instances = groups.flatMap((counts, at) => on(`g${at}`, counts.slice(0, size)));
      // A placement that sees only what is there now may need more than one go.
      for (let round = 0; round < 3; round += 1) {
        const moved = planRebalance(ids, instances);
        if (moved.length === 0) break;
        instances = applied(ids, instances, moved);
      }
      assert.deepEqual(planRebalance(ids, instances), []);
      for (const counts of countsOf(ids, instances).values()) assert.ok(unevenness(counts) <= 1);
      assert.ok(unevenness(totalsOf(ids, instances)) <= 1);
    }),
    { numRuns: 500 },
  );
});

test('a node that came new gets its share, and no more is moved than that', () => {
  const moved = planRebalance(['a', 'b', 'c'], [...on('web', [3, 3, 0]), ...on('worker', [2, 1, 0])]);
  assert.equal(moved.filter((id) => id.startsWith('web')).length, 2);
  assert.equal(moved.filter((id) => id.startsWith('worker')).length, 1);
});

test('what must stay is counted where it is, and never moved', () => {
  const stays = on('database', [3, 0], false);
  const moved = planRebalance(
    ['a', 'b'],
    [...stays, ...on('one', [1, 0]), ...on('two', [1, 0]), ...on('three', [1, 0])],
  );
  assert.deepEqual(moved.toSorted(), ['one-a-0', 'three-a-0', 'two-a-0']);
});

test('instances on nodes that take nothing are none of its business', () => {
  assert.deepEqual(planRebalance(['a', 'b'], [...on('web', [1, 1, 5])]), []);
  assert.deepEqual(planRebalance(['a'], on('web', [5])), []);
  assert.deepEqual(planRebalance([], on('web', [5])), []);
});
