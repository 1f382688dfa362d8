/**
 * A few files of a whole run that failed are run once more at its end, alone: what fails only beside others, on a machine that has no time for
 * it, is told from what is broken. The first failure stays in the report, so that its race is found and mended all the same.
 */
import type { FileResult } from './run-file.ts';
import { totalsOf } from './summary.ts';
import type { TestFile } from './test-files.ts';

/** More of them is no accident. */
const filesAtMost = 3;

/** Those to be run again within the time that is left. None when too many failed. Pure. */
export function filesToRepeat(files: readonly TestFile[], results: readonly FileResult[], leftMs: number): TestFile[] {
  const failed = results.filter((result) => totalsOf([result]).failed > 0);
  if (failed.length > filesAtMost) return [];
  let left = leftMs;
  return failed.flatMap(({ path, durationMs }) => {
    const file = files.find((each) => each.path === path);
    if (file === undefined || durationMs > left) return [];
    left -= durationMs;
    return [file];
  });
}

/** The results that count: the later one of each file. */
export function latestOf(results: readonly FileResult[], again: readonly FileResult[]): FileResult[] {
  return results.map((result) => again.find(({ path }) => path === result.path) ?? result);
}
