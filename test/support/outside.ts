/** Some address of the world outside that is there where this machine is: what its npm asks. */
import { run } from '../../src/lib/exec.ts';

/** Null when it does not answer from here either. */
export async function outsideUrl(): Promise<string | null> {
  const environment = { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '/' };
  const { stdout } = await run(['npm', 'config', 'get', 'registry'], { environment, timeoutMs: 20_000 });
  const url = new URL('-/ping', stdout.trim()).href;
  const isThere = await fetch(url, { signal: AbortSignal.timeout(10_000) }).then(
    (response) => response.ok,
    () => false,
  );
  return isThere ? url : null;
}
