import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EngineInstance, InstanceStats } from '../../src/core/ports/engine.ts';
import { type Logger, silentLogger } from '../../src/lib/logger.ts';
import { Sampler } from '../../src/metering/sampler.ts';
import { instanceOf, statsOf } from './samples.ts';

/** An engine's answers, which a test may turn into failures, and a promise for the so-many-th round. */
function engineOf(instances: readonly EngineInstance[]) {
  const state = { failing: false, lists: 0, inFlight: 0, most: 0, asked: [] as (readonly string[])[] };
  let wake = (): void => {};
  return {
    state,
    async list(): Promise<readonly EngineInstance[]> {
      state.lists += 1;
      wake();
      state.inFlight += 1;
      state.most = Math.max(state.most, state.inFlight);
      await new Promise((resolve) => setTimeout(resolve, 3));
      state.inFlight -= 1;
      if (state.failing) throw new Error('the agent is away');
      return instances;
    },
    async stats(ids: readonly string[]): Promise<readonly InstanceStats[]> {
      state.asked.push(ids);
      return ids.map((id) => statsOf({ id }));
    },
    async rounds(count: number): Promise<void> {
      while (state.lists < count) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
  };
}

test('running instances are sampled again and again, one round at a time, until stop', async () => {
  const engine = engineOf([
    instanceOf('a'),
    instanceOf('b', { state: 'exited' }),
    instanceOf('c', { state: 'starting' }),
  ]);
  const recorded: string[][] = [];
  const record = (_: unknown, stats: readonly InstanceStats[]): void => {
    recorded.push(stats.map(({ id }) => id));
  };
  const sampler = new Sampler({ engine, record, logger: silentLogger, everyMs: 1 });
  sampler.start();
  sampler.start();
  await engine.rounds(4);
  await sampler.stop();
  const rounds = engine.state.lists;
  assert.ok(recorded.length >= 3);
  assert.deepEqual(recorded[0], ['a']);
  assert.equal(engine.state.most, 1);
  assert.equal(engine.state.inFlight, 0);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(engine.state.lists, rounds);
});

test('a failing engine is said once, and so is that it works again', async () => {
  const engine = engineOf([]);
  engine.state.failing = true;
  const said: string[] = [];
  const logger: Logger = {
    ...silentLogger,
    warn: (_, message) => said.push(message),
    info: (_, message) => said.push(message),
  };
  const sampler = new Sampler({ engine, record: () => {}, logger, everyMs: 1 });
  sampler.start();
  await engine.rounds(4);
  engine.state.failing = false;
  await engine.rounds(8);
  await sampler.stop();
  assert.deepEqual(said, ['sampling the engine fails', 'sampling the engine works again']);
  assert.deepEqual(engine.state.asked, []);
});
