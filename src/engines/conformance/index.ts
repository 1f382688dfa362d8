/** The suite that every engine passes. Call `engineConformance` from a test file with a way to make the engine. */
import { after, before, describe } from 'node:test';
import type { ConformanceHarness } from './harness.ts';
import { isolationTests } from './isolation.ts';
import { jobTests } from './jobs.ts';
import { lifecycleTests } from './lifecycle.ts';
import { limitTests } from './limits.ts';
import { linkTests } from './links.ts';
import { outputTests } from './output.ts';
import { portTests } from './ports.ts';
import { sessionTests } from './sessions.ts';
import { uploadTests } from './uploads.ts';
import { volumeTests } from './volumes.ts';

/** Registers the tests under `name`; one harness serves them all, and every test removes what it started. */
export function engineConformance(
  name: string,
  makeHarness: () => Promise<ConformanceHarness>,
  skip: string | false = false,
): void {
  describe(name, { skip }, () => {
    let harness: ConformanceHarness | null = null;
    before(async () => {
      harness = await makeHarness();
    });
    after(async () => {
      await harness?.close();
    });
    const current = (): ConformanceHarness => {
      if (harness === null) throw new Error('the engine under test could not be made');
      return harness;
    };
    lifecycleTests(current);
    outputTests(current);
    sessionTests(current);
    jobTests(current);
    limitTests(current);
    isolationTests(current);
    portTests(current);
    linkTests(current);
    volumeTests(current);
    uploadTests(current);
  });
}
