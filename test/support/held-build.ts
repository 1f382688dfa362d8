/** Builds that wait until a test lets them go on. */
import { catches, processesWith } from './processes.ts';
import { until } from './until.ts';

/** The app with a build that waits, with `marker` in the arguments of its process. */
export const heldBuild = (
  files: Readonly<Record<string, string>>,
  marker: string,
): Readonly<Record<string, string>> => ({
  ...files,
  'package.json': JSON.stringify({ name: 'held', private: true, scripts: { build: `node wait.js ${marker}` } }),
  'wait.js': "process.on('SIGUSR2', () => process.exit(0)); setInterval(() => {}, 60000);",
});

/** Waits until it waits; gives the way to let it go on. */
export async function untilHeld(marker: string): Promise<() => void> {
  const pid = await until('the build waits', async () => {
    const [found] = await processesWith(marker);
    return found !== undefined && (await catches(found, 'SIGUSR2')) ? found : null;
  });
  return () => void process.kill(pid, 'SIGUSR2');
}
