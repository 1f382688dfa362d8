/** Memory, processes, the whole tree; what the kernel says of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LogLine } from '../../core/ports/log-store.ts';
import { appLines, type Current, inForce, specFor, until, untilLine, untilState } from './harness.ts';

export function limitTests(current: Current): void {
  test('out of memory is told from a crash, and the log says so', async (t) => {
    const harness = current();
    if (!harness.real) return t.skip('optional: nothing runs here');
    const limits = { memoryBytes: 96 * 2 ** 20, cpuShares: 1024, pids: 100 };
    const spec = specFor(harness, 'leak.js', [], { limits });
    await harness.engine.start(spec);
    const { exit } = await untilState(harness.engine, spec.id, 'exited');
    assert.equal(exit?.outOfMemory, true);
    await until('the platform’s line', () =>
      harness.lines(`apps/${spec.appId}`).some((line) => line.source === 'platform' && line.text.includes('R15')),
    );
    await harness.engine.remove(spec.id);
  });

  test('a process that dies of memory is not the end of the others', async (t) => {
    const harness = current();
    if (!harness.real) return t.skip('optional: nothing runs here');
    const { isolation } = await harness.engine.describe();
    const isTheKernels = isolation.some(({ what, how }) => what === 'memory' && how.includes('control groups'));
    if (!isTheKernels) return t.skip('optional: whoever looks from outside ends all of an instance');
    const limits = { memoryBytes: 160 * 2 ** 20, cpuShares: 1024, pids: 100 };
    const spec = specFor(harness, 'outlive.js', [], { limits });
    await harness.engine.start(spec);
    await untilLine(harness, spec, 'outlived it');
    await harness.engine.stop(spec.id, 60_000);
    const { exit } = await untilState(harness.engine, spec.id, 'exited');
    assert.deepEqual([exit?.code, exit?.signal, exit?.outOfMemory], [0, null, false]);
    const said = (line: LogLine): boolean => line.source === 'platform' && line.text.includes('killed at its limit');
    await until('the platform’s line', () => harness.lines(`apps/${spec.appId}`).some(said));
    await harness.engine.remove(spec.id);
  });

  test('the number of processes is limited', async (t) => {
    const harness = current();
    if (!(await inForce(harness, 'pids'))) return t.skip('optional: not in force here');
    const spec = specFor(harness, 'forks.js', [], { limits: { memoryBytes: 2 ** 28, cpuShares: 1024, pids: 40 } });
    await harness.engine.start(spec);
    await untilState(harness.engine, spec.id, 'exited');
    const said = await until('how many', () => /^forked (\d+)$/.exec(appLines(harness, spec).join('')));
    const count = Number(said[1]);
    assert.ok(count > 5 && count <= 44, String(count));
    await harness.engine.remove(spec.id);
  });

  test('no process of a tree survives a stop', async (t) => {
    const harness = current();
    if (!harness.real) return t.skip('optional: nothing runs here');
    const spec = specFor(harness, 'tree.js');
    await harness.engine.start(spec);
    await untilLine(harness, spec, 'grown');
    const [stats] = await harness.engine.stats([spec.id]);
    assert.ok((stats?.pids ?? 0) >= 3);
    await harness.engine.stop(spec.id, 200);
    assert.deepEqual(await harness.engine.stats([spec.id]), []);
    assert.deepEqual(await processesWith(spec.id), []);
    await harness.engine.remove(spec.id);
  });

  test('stats come from the kernel', async (t) => {
    const harness = current();
    if (!harness.real) return t.skip('optional: nothing runs here');
    const spec = specFor(harness, 'say.js', ['here']);
    await harness.engine.start(spec);
    await untilLine(harness, spec, 'here');
    const [stats] = await harness.engine.stats([spec.id, harness.id()]);
    assert.equal(stats?.id, spec.id);
    assert.ok(stats.memory.residentBytes > 2 ** 20);
    assert.ok(stats.memory.usageBytes >= stats.memory.residentBytes);
    assert.equal(stats.memory.limitBytes, spec.limits.memoryBytes);
    assert.ok(stats.cpu.userSeconds + stats.cpu.systemSeconds > 0);
    assert.ok(stats.pids >= 1);
    await harness.engine.remove(spec.id);
  });
}

/** Processes of the machine that carry the instance's mark in their environment. */
async function processesWith(id: string): Promise<number[]> {
  const { readdir, readFile } = await import('node:fs/promises');
  const found: number[] = [];
  for (const pid of (await readdir('/proc')).map(Number).filter(Number.isInteger)) {
    const environ = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
    if (environ.includes(`BERTH_INSTANCE_ID=${id}`)) found.push(pid);
  }
  return found;
}
