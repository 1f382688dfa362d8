/**
 * Turns node:test's events into one JSON object a line, for setup/testing/run-file.ts. Suites and tests that only failed because a test
 * inside them did are left out: each line is one thing that was checked.
 */
import type { TestEvent } from 'node:test/reporters';
import { inspect } from 'node:util';

export interface Outcome {
  /** `outer > inner`, as nested. */
  readonly name: string;
  readonly kind: 'passed' | 'failed' | 'skipped';
  readonly durationMs: number;
  /** The error, or the reason of a skip. */
  readonly detail: string;
}

/** An assertion about a large text brings it along several times over; what matters stands at the beginning. */
const detailCharacters = 6000;

const withoutFrames = (error: unknown): unknown =>
  error instanceof Error && error.cause !== undefined && 'code' in error && error.code === 'ERR_TEST_FAILURE'
    ? error.cause
    : error;

function describe(error: unknown): string {
  const text = inspect(withoutFrames(error), { depth: 4, maxStringLength: 2000 });
  return text.length <= detailCharacters ? text : `${text.slice(0, detailCharacters)}\n… (${text.length} characters)`;
}

export default async function* reporter(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const names: string[] = [];
  for await (const { type, data } of events) {
    if (type === 'test:start') names.splice(data.nesting, names.length, data.name);
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    const isSkipped = data.skip !== undefined && data.skip !== false;
    // What a skipped suite would have checked is told by nobody else.
    if (data.details.type === 'suite' && !isSkipped) continue;
    const name = [...names.slice(0, data.nesting), data.name].join(' > ');
    const base = { name, durationMs: data.details.duration_ms };
    if (isSkipped) {
      yield line({ ...base, kind: 'skipped', detail: typeof data.skip === 'string' ? data.skip : '' });
    } else if (type === 'test:pass') {
      yield line({ ...base, kind: 'passed', detail: '' });
    } else if (!('failureType' in data.details.error) || data.details.error.failureType !== 'subtestsFailed') {
      yield line({ ...base, kind: 'failed', detail: describe(data.details.error) });
    }
  }
}

const line = (outcome: Outcome): string => `${JSON.stringify(outcome)}\n`;
