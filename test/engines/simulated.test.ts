import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { LogLine } from '../../src/core/ports/log-store.ts';
import { type ConformanceHarness, find, specFor, until, untilState } from '../../src/engines/conformance/harness.ts';
import { engineConformance } from '../../src/engines/conformance/index.ts';
import type { Behaviour } from '../../src/engines/simulated/behaviour.ts';
import { SimulatedEngine } from '../../src/engines/simulated/simulated-engine.ts';
import { systemClock, systemIds } from '../../src/lib/clock.ts';

/** The suite's programs as models; `argument` is the word after the program's name. */
const models: Record<string, (argument: string) => Behaviour> = {
  'exit.js': (argument) => (process) => process.exit(Number(argument)),
  'say.js': (argument) => (process) => void process.stdout.write(`${argument}\n`),
  'gentle.js': () => (process) => {
    process.onSignal((signal) => {
      if (signal === 'SIGTERM') {
        process.stdout.write('asked to end\n');
        process.exit(0);
      }
      return true;
    });
    process.stdout.write('ready\n');
  },
  'stubborn.js': () => (process) => {
    process.onSignal(() => true);
    process.stdout.write('ready\n');
  },
  'copy.js': (argument) => (process) => {
    process.stdin.on('data', (bytes) => process.stdout.write(bytes));
    process.stdin.on('end', () => process.exit(Number(argument)));
  },
};

function behaviour(argv: readonly string[]): Behaviour | undefined {
  const at = argv.findIndex((word) => word in models);
  return models[argv[at] ?? '']?.(argv[at + 1] ?? '');
}

interface SimulatedHarness extends ConformanceHarness {
  readonly engine: SimulatedEngine;
}

async function makeHarness(): Promise<SimulatedHarness> {
  const streams = new Map<string, LogLine[]>();
  const logAppender = {
    append: async (stream: string, lines: readonly LogLine[]) => {
      streams.set(stream, [...(streams.get(stream) ?? []), ...lines]);
    },
  };
  const engine = new SimulatedEngine({ clock: systemClock, logAppender, behaviour });
  const folder = mkdtempSync(join(tmpdir(), 'berth-simulated-'));
  return {
    engine,
    real: false,
    artifactDigest: `sha256:${'0'.repeat(64)}`,
    id: systemIds.id,
    lines: (stream) => streams.get(stream) ?? [],
    folder: () => folder,
    reconnect: async () => engine,
    forbidden: null,
    required: [],
    close: async () => {
      engine.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

engineConformance('simulated engine', makeHarness);

test('a start that was told to fail says why', async () => {
  const harness = await makeHarness();
  harness.engine.failNext('no such image');
  const spec = specFor(harness, 'serve.js');
  await harness.engine.start(spec);
  assert.equal((await untilState(harness.engine, spec.id, 'exited')).exit?.startError, 'no such image');
  await harness.close();
});

test('the table of links is what was told last', async () => {
  const harness = await makeHarness();
  const route = { target: 'app/store', spaceId: 'space', port: 6379, backends: [] };
  await harness.engine.routeLinks([route]);
  assert.deepEqual(harness.engine.links, [route]);
  await harness.engine.routeLinks([]);
  assert.deepEqual(harness.engine.links, []);
  await harness.close();
});

test('a slow start stays starting, without an address', async () => {
  const harness = await makeHarness();
  harness.engine.slow(100);
  const spec = specFor(harness, 'serve.js');
  const started = await harness.engine.start(spec);
  assert.equal(started.state, 'starting');
  assert.equal(started.address, null);
  await untilState(harness.engine, spec.id, 'running');
  await harness.close();
});

test('a crash shows as told, and health can be taken away', async () => {
  const harness = await makeHarness();
  const spec = specFor(harness, 'serve.js');
  await harness.engine.start(spec);
  const { address } = await untilState(harness.engine, spec.id, 'running');
  const status = (): Promise<number> =>
    fetch(`http://${address?.host}:${address?.port}/`).then(
      (response) => response.status,
      () => 0,
    );
  await until('200', async () => (await status()) === 200);
  harness.engine.setReady(spec.id, false);
  assert.equal(await status(), 503);
  harness.engine.crash(spec.id, { signal: 'SIGKILL', outOfMemory: true });
  assert.equal((await find(harness.engine, spec.id))?.exit?.outOfMemory, true);
  assert.equal(await status(), 0);
  await harness.close();
});

test('a lost node takes its instances along and refuses starts until it is back', async () => {
  const harness = await makeHarness();
  const spec = specFor(harness, 'serve.js');
  await harness.engine.start(spec);
  await untilState(harness.engine, spec.id, 'running');
  harness.engine.loseNode();
  assert.deepEqual(await harness.engine.list(), []);
  assert.equal((await harness.engine.describe()).nodes[0]?.state, 'down');
  await assert.rejects(harness.engine.start(spec), { kind: 'unavailable' });
  harness.engine.returnNode();
  await harness.engine.start(spec);
  await untilState(harness.engine, spec.id, 'running');
  await harness.close();
});
