/** A platform for one bench: started as people start it, stopped and deleted afterwards, also when the bench fails. */
import { type PlatformOptions, startPlatform, type TestPlatform } from '../../test/support/platform.ts';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Runs `work` beside a platform; a signal that ends the bench ends the platform first. */
export async function withPlatform<T>(
  options: PlatformOptions,
  work: (platform: TestPlatform) => Promise<T>,
): Promise<T> {
  const ends: (() => Promise<void>)[] = [];
  const endAll = async (): Promise<void> => {
    for (const end of ends.splice(0).reverse()) await end();
  };
  const onSignal = (): void => void endAll().finally(() => process.exit(1));
  for (const signal of signals) process.once(signal, onSignal);
  try {
    return await work(await startPlatform({ after: (end: () => Promise<void>) => void ends.push(end) }, options));
  } finally {
    await endAll();
    for (const signal of signals) process.off(signal, onSignal);
  }
}
