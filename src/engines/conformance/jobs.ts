/** The sandbox's bounded jobs. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { JobSpec } from '../../core/ports/sandbox.ts';
import { Secret } from '../../core/ports/secret.ts';
import type { ConformanceHarness, Current } from './harness.ts';
import { until } from './harness.ts';

function jobFor(harness: ConformanceHarness, command: readonly string[], change: Partial<JobSpec> = {}): JobSpec {
  const id = harness.id();
  return {
    id,
    spaceId: 'conformance',
    command,
    folders: [{ host: harness.folder(), inside: '/build', writable: true }],
    environment: { MESSAGE: new Secret('hello') },
    limits: { memoryBytes: 256 * 2 ** 20, cpuShares: 512, pids: 100 },
    timeoutMs: 20_000,
    diskBytes: 64 * 2 ** 20,
    log: { stream: `builds/${id}`, source: 'build', maxBytes: 1024 * 1024 },
    network: false,
    ...change,
  };
}
const never = new AbortController().signal;

export function jobTests(current: Current): void {
  test('a job ends with its code, and asking twice is one job', async () => {
    const harness = current();
    const job = jobFor(harness, ['node', '-e', 'process.exit(3)', 'exit.js', '3']);
    const [one, two] = await Promise.all([harness.engine.run(job, never), harness.engine.run(job, never)]);
    assert.equal(one.code, 3);
    assert.equal(two.code, 3);
    assert.equal(one.diskExceeded, false);
    assert.deepEqual((await harness.engine.jobs()).includes(job.id), false);
  });

  test('an aborted job is killed and rejects', async () => {
    const harness = current();
    const job = jobFor(harness, ['node', '-e', 'setInterval(() => {}, 1000)', 'say.js', 'x']);
    const abort = new AbortController();
    const run = harness.engine.run(job, abort.signal);
    const rejected = assert.rejects(run, { kind: 'cancelled' });
    await until('the job', async () => (await harness.engine.jobs()).includes(job.id));
    abort.abort();
    await rejected;
    assert.equal((await harness.engine.jobs()).includes(job.id), false);
  });

  test('a job is ended by its time limit, and by kill', async () => {
    const harness = current();
    const wait = ['node', '-e', 'setInterval(() => {}, 1000)', 'say.js', 'x'];
    assert.equal((await harness.engine.run(jobFor(harness, wait, { timeoutMs: 300 }), never)).timedOut, true);
    const job = jobFor(harness, wait);
    const run = harness.engine.run(job, never);
    await until('the job', async () => (await harness.engine.jobs()).includes(job.id));
    await harness.engine.kill(job.id);
    assert.equal((await run).signal, 'SIGKILL');
  });

  test('a job works in its folder, and its output goes to its stream', async (t) => {
    const harness = current();
    if (!harness.real) return t.skip('optional: nothing runs here');
    const folder = harness.folder();
    const folders = [{ host: folder, inside: '/build', writable: true }];
    const script = 'echo "$MESSAGE" > made; echo out; echo error >&2';
    const job = jobFor(harness, ['sh', '-c', script], { folders });
    assert.equal((await harness.engine.run(job, never)).code, 0);
    assert.equal(readFileSync(`${folder}/made`, 'utf8'), 'hello\n');
    // An engine may have a stream for each of the two: their order is not kept then.
    assert.deepEqual(
      harness
        .lines(job.log.stream)
        .map((line) => `${line.source} ${line.text}`)
        .toSorted(),
      ['build error', 'build out'],
    );
  });

  test('a job is ended above its output and its disk', async (t) => {
    const harness = current();
    if (!harness.real) return t.skip('optional: nothing runs here');
    const log = { stream: `builds/${harness.id()}`, source: 'build', maxBytes: 100_000 };
    const loud = await harness.engine.run(jobFor(harness, ['sh', '-c', 'while :; do echo loud; done'], { log }), never);
    assert.equal(loud.outputExceeded, true);
    const kept = harness.lines(log.stream).reduce((sum, line) => sum + line.text.length + 1, 0);
    assert.ok(kept <= 100_001, String(kept));
    const fill = ['sh', '-c', 'dd if=/dev/zero of=big bs=1M count=24 2>/dev/null; sleep 30'];
    const full = await harness.engine.run(jobFor(harness, fill, { diskBytes: 8 * 2 ** 20 }), never);
    assert.equal(full.diskExceeded, true);
  });

  test('a job above its memory is told apart', async (t) => {
    const harness = current();
    if (!harness.real) return t.skip('optional: nothing runs here');
    const limits = { memoryBytes: 96 * 2 ** 20, cpuShares: 512, pids: 100 };
    const leak =
      'const a = []; setInterval(() => { for (let n = 0; n < 20; n++) a.push(Buffer.alloc(1048576, 1)); }, 5)';
    const exit = await harness.engine.run(jobFor(harness, ['node', '-e', leak], { limits }), never);
    assert.equal(exit.outOfMemory, true);
  });
}
