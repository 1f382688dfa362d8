/** What the person at the terminal, or the log of CI, gets to see of a test run. */
import type { Outcome } from '../../test/support/reporter.ts';
import type { FileResult } from './run-file.ts';

export interface Totals {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** A skip is fine in CI only when its reason begins so: the machine lacks what nobody promised. */
const optionalPrefix = 'optional:';

/** Turns skips that CI must not have into failures. */
export function judge(result: FileResult, ci: boolean): FileResult {
  const outcomes = result.outcomes.map(
    (outcome): Outcome =>
      ci && outcome.kind === 'skipped' && !outcome.detail.startsWith(optionalPrefix)
        ? { ...outcome, kind: 'failed', detail: `skipped, which CI does not accept: ${outcome.detail}` }
        : outcome,
  );
  return { ...result, outcomes };
}

export function totalsOf(results: readonly FileResult[]): Totals {
  const count = (kind: Outcome['kind']): number =>
    results.reduce((sum, { outcomes }) => sum + outcomes.filter((outcome) => outcome.kind === kind).length, 0);
  return { passed: count('passed'), failed: count('failed'), skipped: count('skipped') };
}

/** One line for the file, then each failure with its detail, and each skip with its reason. */
export function describeFile(result: FileResult): string {
  const { passed, failed, skipped } = totalsOf([result]);
  const parts = [`${passed} passed`];
  if (failed > 0) parts.push(`${failed} failed`);
  if (skipped > 0) parts.push(`${skipped} skipped`);
  const lines = [`${failed > 0 ? '✖' : '✔'} ${result.path}: ${parts.join(', ')} (${seconds(result.durationMs)})`];
  for (const outcome of result.outcomes) {
    if (outcome.kind === 'skipped') lines.push(`  - skipped: ${outcome.name}: ${outcome.detail}`);
    if (outcome.kind === 'failed') lines.push(...describeFailure(outcome));
  }
  if (failed > 0 && result.output.trim() !== '') {
    lines.push('  output of the file:', indent(result.output.trimEnd(), '    | '));
  }
  return lines.join('\n');
}

/** All failures of a run once more, for its end: in a long log nobody finds them where they happened. Empty without one. */
export function describeFailures(results: readonly FileResult[]): string {
  return results
    .flatMap(({ path, outcomes }) => {
      const failed = outcomes.filter((outcome) => outcome.kind === 'failed');
      return failed.length === 0 ? [] : [`✖ ${path}`, ...failed.flatMap(describeFailure)];
    })
    .join('\n');
}

/** `N passed, M failed`, and the skips where there are some. */
export function totalLine({ passed, failed, skipped }: Totals): string {
  const line = `${passed} passed, ${failed} failed`;
  return skipped > 0 ? `${line}, ${skipped} skipped` : line;
}

const describeFailure = ({ name, durationMs, detail }: Outcome): string[] => [
  `  ✖ ${name} (${seconds(durationMs)})`,
  indent(detail, '      '),
];
const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
const indent = (text: string, prefix: string): string =>
  text
    .split('\n')
    .map((line) => prefix + line)
    .join('\n');
