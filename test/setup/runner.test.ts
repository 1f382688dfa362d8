import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { filesToRepeat, latestOf } from '../../setup/testing/repeat.ts';
import { type FileResult, runFile } from '../../setup/testing/run-file.ts';
import { describeFailures, describeFile, judge, totalLine, totalsOf } from '../../setup/testing/summary.ts';
import { findTestFiles, wishesOf } from '../../setup/testing/test-files.ts';

/** Runs a test file with this body. */
async function runBody(t: TestContext, body: string, timeoutMs = 20_000): Promise<FileResult> {
  const folder = await mkdtemp(join(tmpdir(), 'fixture-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, 'a.test.mjs'), `import { suite, test } from 'node:test';\n${body}`);
  return runFile(folder, { path: 'a.test.mjs', timeoutMs, alone: false }, AbortSignal.timeout(60_000));
}

test('each test is counted once, failures come with their error, parents only when it is theirs', async (t) => {
  const result = await runBody(
    t,
    `test('good', () => {});
     test('bad', () => { throw new Error('the reason'); });
     test('later', (t) => t.skip('no docker'));
     suite('nobody here', { skip: 'no daemon' }, () => { test('unseen', () => {}); });
     suite('group', () => { test('inner', () => { throw new TypeError('inner reason'); }); });
     test('parent', async (t) => { await t.test('child', () => { throw new Error('child reason'); }); });`,
  );
  assert.deepEqual(totalsOf([result]), { passed: 1, failed: 3, skipped: 2 });
  const text = describeFile(result);
  for (const part of [
    '✖ bad',
    'the reason',
    '✖ group > inner',
    'inner reason',
    '✖ parent > child',
    'no docker',
    'no daemon',
  ]) {
    assert.ok(text.includes(part), `${part} is missing in:\n${text}`);
  }
});

test('the end of a run tells its failures again, and nothing else', async (t) => {
  const good = await runBody(t, `test('good', () => {});`);
  const bad = await runBody(t, `test('fine', () => {}); test('bad', () => { throw new Error('the reason'); });`);
  assert.equal(describeFailures([good]), '');
  const text = describeFailures([good, bad]);
  assert.match(text, /^✖ a\.test\.mjs\n {2}✖ bad \(.*the reason/s);
  assert.doesNotMatch(text, /good|fine/);
});

test('a few files that failed are run again as far as there is time, and the later result counts', () => {
  const file = (path: string) => ({ path, timeoutMs: 1000, alone: false });
  const result = (path: string, kind: 'passed' | 'failed'): FileResult => ({
    ...{ path, durationMs: 1000, output: '' },
    outcomes: [{ name: 'x', kind, durationMs: 1, detail: '' }],
  });
  const files = ['a', 'b', 'c', 'd', 'e'].map(file);
  const some = [result('a', 'failed'), result('b', 'passed'), result('c', 'failed')];
  const paths = (results: readonly FileResult[], leftMs: number) =>
    filesToRepeat(files, results, leftMs).map(({ path }) => path);
  assert.deepEqual(paths(some, 60_000), ['a', 'c']);
  assert.deepEqual(paths(some, 1500), ['a']);
  assert.deepEqual(paths(some, 0), []);
  const many = ['a', 'c', 'd', 'e'].map((path) => result(path, 'failed'));
  assert.deepEqual(paths(many, 60_000), []);
  const counted = latestOf(some, [result('a', 'passed'), result('c', 'failed')]);
  assert.deepEqual(totalsOf(counted), { passed: 2, failed: 1, skipped: 0 });
});

test('a file that cannot be loaded, or ends early, is one failure with its output', async (t) => {
  const broken = await runBody(t, `import './missing.mjs';`);
  assert.deepEqual(totalsOf([broken]), { passed: 0, failed: 1, skipped: 0 });
  assert.match(describeFile(broken), /missing\.mjs/);
  const early = await runBody(t, `test('one', () => {}); test('two', () => process.exit(3));`);
  assert.equal(totalsOf([early]).failed, 1);
});

test('a test over its time fails, and the next one still runs', async (t) => {
  const result = await runBody(
    t,
    `test('slow', () => new Promise((resolve) => setTimeout(resolve, 60_000).unref())); test('next', () => clearTimeout(hold));
     const hold = setTimeout(() => {}, 60_000);`,
    700,
  );
  assert.deepEqual(totalsOf([result]), { passed: 1, failed: 1, skipped: 0 });
});

test('a process that a test leaves behind is killed, wherever it moved, and fails the file', async (t) => {
  const result = await runBody(
    t,
    `import { spawn } from 'node:child_process';
     import { tmpdir } from 'node:os';
     test('leaves', () => {
       const child = spawn('sleep', ['300'], { detached: true, stdio: 'ignore', env: {}, cwd: tmpdir() });
       console.log('pid=' + child.pid);
       child.unref();
     });`,
  );
  assert.equal(totalsOf([result]).failed, 1);
  const pid = Number(/pid=(\d+)/.exec(result.output)?.[1]);
  assert.match(describeFile(result), /left processes behind/);
  // At most its entry is left, for init to collect.
  assert.equal(await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''), '');
});

test('in CI a skip needs a reason that begins with optional:', async (t) => {
  const result = await runBody(
    t,
    `test('a', (t) => t.skip('optional: no such hardware')); test('b', (t) => t.skip('needs root'));`,
  );
  assert.deepEqual(totalsOf([judge(result, false)]), { passed: 0, failed: 0, skipped: 2 });
  assert.deepEqual(totalsOf([judge(result, true)]), { passed: 0, failed: 1, skipped: 1 });
});

test('the last line is what CI reads', () => {
  assert.equal(totalLine({ passed: 5, failed: 0, skipped: 0 }), '5 passed, 0 failed');
  assert.equal(totalLine({ passed: 5, failed: 1, skipped: 2 }), '5 passed, 1 failed, 2 skipped');
});

test('a file says how it wants to be run', () => {
  assert.deepEqual(wishesOf('// test-timeout: 600\n// test-alone\nimport x;'), { timeoutMs: 600_000, alone: true });
  assert.deepEqual(wishesOf('import x;'), { timeoutMs: 120_000, alone: false });
  const root = join(import.meta.dirname, '../..');
  assert.deepEqual(
    findTestFiles(root, ['setup/runner']).map(({ path }) => path),
    ['test/setup/runner.test.ts'],
  );
});
