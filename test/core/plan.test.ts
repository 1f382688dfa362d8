import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { plannerFor } from '../../src/core/deploy/plan.ts';
import { planSeatBySeat } from '../../src/core/deploy/seat-by-seat.ts';
import type { ProcessSituation } from '../../src/core/deploy/situation.ts';
import { freeOrdinals } from '../../src/core/instances/seat.ts';
import type { StrategyName } from '../../src/core/releases/release.ts';

type Member = ProcessSituation['instances'][number];

/** A little world that carries plans out: what is started becomes ready after some turns, what is retired is gone after some. */
class World {
  members: (Member & { turns: number })[] = [];
  #next = 0;
  add(generation: string, state: Member['state'], turns = 0): void {
    this.#next += 1;
    this.members.push({
      id: `i${this.#next}`,
      generation,
      state,
      ordinal: this.#next,
      createdAt: new Date(this.#next),
      turns,
    });
  }
  apply(plan: { start: number; retire: readonly string[] }, generation: string, delay: number): void {
    for (const id of plan.retire) {
      const member = this.members.find((item) => item.id === id);
      assert.ok(member, `a plan retires an instance that is there: ${id}`);
      this.#change(id, 'draining', delay);
    }
    for (let count = 0; count < plan.start; count += 1) this.add(generation, 'starting', delay);
  }
  turn(): void {
    for (const member of [...this.members]) {
      if (member.turns > 0) this.#change(member.id, member.state, member.turns - 1);
      else if (member.state === 'starting') this.#change(member.id, 'ready', 0);
      else if (member.state === 'draining') this.members = this.members.filter((item) => item.id !== member.id);
    }
  }
  ready(): number {
    return this.members.filter((member) => member.state === 'ready').length;
  }
  #change(id: string, state: Member['state'], turns: number): void {
    this.members = this.members.map((member) => (member.id === id ? { ...member, state, turns } : member));
  }
}

const situations = fc.record({
  quantity: fc.integer({ min: 0, max: 6 }),
  old: fc.array(fc.constantFrom<Member['state']>('ready', 'starting', 'crashed', 'draining'), { maxLength: 6 }),
  fresh: fc.array(fc.constantFrom<Member['state']>('ready', 'starting', 'draining'), { maxLength: 6 }),
  delays: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 20 }),
});

const strategies: readonly StrategyName[] = ['one-by-one', 'all-at-once', 'hot-swap'];

for (const strategy of strategies) {
  test(`${strategy} ends with just what is wanted, from any beginning`, () => {
    fc.assert(
      fc.property(situations, ({ quantity, old, fresh, delays }) => {
        const world = new World();
        for (const state of old) world.add('old', state);
        for (const state of fresh) world.add('new', state);
        const planner = plannerFor(strategy);
        const enough = Math.min(world.ready(), quantity);
        let most = world.members.filter((member) => member.state !== 'draining').length;
        for (let turn = 0; turn < 200; turn += 1) {
          world.apply(
            planner({ quantity, generation: 'new', instances: world.members }),
            'new',
            delays[turn % delays.length] ?? 0,
          );
          const living = world.members.filter((member) => member.state !== 'draining').length;
          if (strategy === 'one-by-one')
            assert.ok(living <= Math.max(most, quantity + 1), 'at most one instance more than wanted');
          most = Math.max(quantity, Math.min(most, living));
          if (strategy !== 'all-at-once') assert.ok(world.ready() >= enough, 'never fewer ready ones than there were');
          world.turn();
        }
        assert.equal(world.members.length, quantity);
        assert.ok(world.members.every((member) => member.generation === 'new' && member.state === 'ready'));
      }),
      { numRuns: 500 },
    );
  });

  test(`${strategy} does nothing where everything is as wanted`, () => {
    const world = new World();
    for (let count = 0; count < 3; count += 1) world.add('new', 'ready');
    assert.deepEqual(plannerFor(strategy)({ quantity: 3, generation: 'new', instances: world.members }), {
      start: 0,
      retire: [],
    });
  });
}

test('all-at-once starts nothing while an old instance is left', () => {
  const world = new World();
  world.add('old', 'ready');
  const plan = plannerFor('all-at-once')({ quantity: 2, generation: 'new', instances: world.members });
  assert.deepEqual(plan, { start: 0, retire: ['i1'] });
});

test('one-by-one does not start a second instance while a first new one crashes', () => {
  const world = new World();
  world.add('old', 'ready');
  world.add('old', 'ready');
  world.add('new', 'crashed');
  assert.deepEqual(plannerFor('one-by-one')({ quantity: 2, generation: 'new', instances: world.members }), {
    start: 0,
    retire: [],
  });
});

test('seat by seat never has two instances in a seat, and ends with just what is wanted', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 5 }),
      fc.integer({ min: 0, max: 5 }),
      fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 20 }),
      (before, quantity, delays) => {
        let members: (Member & { turns: number })[] = freeOrdinals(new Set(), before).map((ordinal) => ({
          id: `old${ordinal}`,
          generation: 'old',
          state: 'ready',
          ordinal,
          createdAt: new Date(ordinal),
          turns: 0,
        }));
        const serving = (): number => members.filter((member) => member.state === 'ready').length;
        for (let turn = 0; turn < 200; turn += 1) {
          const delay = delays[turn % delays.length] ?? 0;
          const plan = planSeatBySeat({ quantity, generation: 'new', instances: members });
          members = members.map((one) =>
            plan.retire.includes(one.id) ? { ...one, state: 'draining', turns: delay } : one,
          );
          for (const ordinal of freeOrdinals(new Set(members.map((one) => one.ordinal)), plan.start))
            members.push({
              id: `new${turn}-${ordinal}`,
              generation: 'new',
              state: 'starting',
              ordinal,
              createdAt: new Date(turn),
              turns: delay,
            });
          assert.equal(new Set(members.map((one) => one.ordinal)).size, members.length, 'one instance a seat');
          if (before >= quantity && quantity > 1) assert.ok(serving() >= quantity - 1, 'one at a time');
          members = members
            .filter((one) => one.turns > 0 || one.state !== 'draining')
            .map((one) => ({
              ...one,
              turns: Math.max(0, one.turns - 1),
              state: one.turns === 0 && one.state === 'starting' ? 'ready' : one.state,
            }));
        }
        assert.deepEqual(
          members.map((one) => [one.generation, one.state, one.ordinal]).sort(),
          freeOrdinals(new Set(), quantity).map((ordinal) => ['new', 'ready', ordinal]),
        );
      },
    ),
    { numRuns: 300 },
  );
});
