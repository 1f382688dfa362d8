/**
 * Runs the checks, then all tests, three files at a time; run by setup/run.mjs on Node 24. Arguments: `--filter <part of a path>` (as often
 * as wanted; a bare argument is the same) runs only these files and no checks, `--no-check` leaves the checks out. Of a whole run, a few files
 * that failed are run once more, alone.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { rootFolder } from './root.mjs';
import { ensureDocker } from './system.mjs';
import { filesToRepeat, latestOf } from './testing/repeat.ts';
import { runFile } from './testing/run-file.ts';
import { describeFailures, describeFile, judge, totalLine, totalsOf } from './testing/summary.ts';
import { findTestFiles } from './testing/test-files.ts';

/** On two cores a third file fills the time in which others wait for daemons, locks and time limits. */
const concurrency = 3;
/** A whole run may take 25 minutes; what is set up and checked before has its part of them. */
const repeatUntilMs = 21 * 60_000;

const { values, positionals } = parseArgs({
  options: {
    filter: { type: 'string', multiple: true, default: [] },
    'no-check': { type: 'boolean', default: false },
  },
  allowPositionals: true,
});
const filters = [...values.filter, ...positionals];

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => stop.abort());

let checksFailed = false;
if (filters.length === 0 && !values['no-check']) {
  const check = spawnSync(process.execPath, [join(rootFolder, 'scripts/check.ts')], {
    cwd: rootFolder,
    stdio: 'inherit',
  });
  checksFailed = check.status !== 0;
}

const begin = performance.now();
const ci = process.env.CI === 'true';
const files = findTestFiles(rootFolder, filters);
const results = [];
if (files.some(({ path }) => /docker|swarm/.test(path))) await ensureDocker();

async function runAll(queue) {
  for (let file = queue.shift(); file !== undefined && !stop.signal.aborted; file = queue.shift()) {
    const result = judge(await runFile(rootFolder, file, stop.signal), ci);
    results.push(result);
    console.log(describeFile(result));
  }
}

const together = files.filter((file) => !file.alone);
await Promise.all(Array.from({ length: concurrency }, () => runAll(together)));
await runAll(files.filter((file) => file.alone));

const first = [...results];
if (filters.length === 0 && !stop.signal.aborted) {
  const again = filesToRepeat(files, first, repeatUntilMs - (performance.now() - begin));
  if (again.length > 0) console.log(`\nOnce more, alone: ${again.map(({ path }) => path).join(', ')}`);
  results.length = 0;
  await runAll(again);
}
const latest = latestOf(first, results);
const totals = totalsOf(latest);
const onlyBesideOthers = first.filter((result, at) => result !== latest[at] && totalsOf([latest[at]]).failed === 0);
if (onlyBesideOthers.length > 0) console.log(`\nWhat failed beside others:\n${describeFailures(onlyBesideOthers)}`);
if (totals.failed > 0) console.log(`\nWhat failed:\n${describeFailures(latest)}`);
if (checksFailed) console.log('✖ the checks failed, see above');
if (stop.signal.aborted) console.log('✖ stopped before the end');
if (files.length === 0) console.log('✖ no test file matches');
const failures = totals.failed + [checksFailed, stop.signal.aborted, files.length === 0].filter(Boolean).length;
console.log(totalLine({ ...totals, failed: failures }));
process.exitCode = failures > 0 ? 1 : 0;
