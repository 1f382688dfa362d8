/** An app's log as clients read it: by a log session. */
import type { TestPlatform } from './platform.ts';
import { until } from './until.ts';

/** The address of a session; it needs no credentials. */
export async function logSession(platform: TestPlatform, path: string, tail: boolean, lines = 250): Promise<string> {
  const { logplex_url: url } = await platform.akkeris.post<{ logplex_url: string }>(`${path}/log-sessions`, {
    lines,
    tail,
  });
  return url;
}

/** The last lines, oldest first. */
export async function logLines(platform: TestPlatform, path: string): Promise<readonly string[]> {
  const response = await fetch(await logSession(platform, path, false));
  if (!response.ok) throw new Error(`the log session answered ${response.status}`);
  return (await response.text()).split('\n').filter((line) => line !== '');
}

/** Waits until a line of the log matches; gives all lines that are there then. */
export function untilLogged(
  platform: TestPlatform,
  path: string,
  pattern: RegExp,
  patienceMs = 60_000,
): Promise<readonly string[]> {
  return until(
    `${path} logs ${pattern}`,
    async () => {
      const lines = await logLines(platform, path);
      return lines.some((line) => pattern.test(line)) ? lines : null;
    },
    patienceMs,
    100,
  );
}
