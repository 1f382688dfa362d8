/** A platform for one bench: started as people start it, stopped and deleted afterwards, also when the bench fails. */
import { type PlatformOptions, startPlatform, type TestPlatform } from '../../test/support/platform.ts';

/** Runs `work` beside a fresh platform. */
export async function withPlatform<T>(
  options: PlatformOptions,
  work: (platform: TestPlatform) => Promise<T>,
): Promise<T> {
  const ends: (() => Promise<void>)[] = [];
  try {
    return await work(await startPlatform({ after: (end: () => Promise<void>) => void ends.push(end) }, options));
  } finally {
    for (const end of ends.reverse()) await end();
  }
}
