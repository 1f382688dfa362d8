/** Finds the test files and reads what each says about how it wants to be run. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface TestFile {
  /** Relative to the checkout. */
  readonly path: string;
  /** For each test in it. */
  readonly timeoutMs: number;
  /** Not beside another file: it measures time, or takes most of the machine. */
  readonly alone: boolean;
}

const defaultTimeoutMs = 120_000;

/**
 * Files `test/**\/*.test.ts` whose path holds one of the filters (all without one). A file may begin with comment lines of the form
 * `// test-timeout: <seconds>` and `// test-alone`.
 */
export function findTestFiles(root: string, filters: readonly string[]): TestFile[] {
  return globSync('test/**/*.test.ts', { cwd: root })
    .filter((path) => filters.length === 0 || filters.some((filter) => path.includes(filter)))
    .sort()
    .map((path) => ({ path, ...wishesOf(readFileSync(join(root, path), 'utf8')) }));
}

/** What the first lines of a test file ask for. */
export function wishesOf(source: string): { timeoutMs: number; alone: boolean } {
  const head = source.slice(0, 2000);
  const seconds = /^\/\/ test-timeout: (\d+)$/m.exec(head)?.[1];
  return {
    timeoutMs: seconds === undefined ? defaultTimeoutMs : Number(seconds) * 1000,
    alone: /^\/\/ test-alone$/m.test(head),
  };
}
