/** Waits for the platform's own `/healthz`, as `berth up` does before it says that the platform is up. */
import { get } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';

const PATIENCE_MS = 120_000;
const ANSWER_MS = 2_000;
const EVERY_MS = 50;

/** Resolves when `url` answers 200; `say` hears what is missing meanwhile. Rejects with that after two minutes, or when aborted. */
export async function untilHealthy(url: string, say: (text: string) => void, signal: AbortSignal): Promise<void> {
  const started = performance.now();
  let reasons = 'the server does not answer yet';
  while (performance.now() - started < PATIENCE_MS) {
    signal.throwIfAborted();
    try {
      const { status, body } = await ask(url);
      if (status === 200) return;
      reasons = (JSON.parse(body) as { reasons?: readonly string[] }).reasons?.join('; ') ?? reasons;
    } catch {
      // It does not listen yet, or is just being started again.
    }
    say(reasons);
    await wait(EVERY_MS, undefined, { signal });
  }
  throw new Error(`the platform did not become ready: ${reasons}`);
}

/** By node:http, since fetch would load a client of several mebibytes for this alone. */
function ask(url: string): Promise<{ readonly status: number; readonly body: string }> {
  return new Promise((resolve, reject) => {
    const call = get(url, { agent: false, timeout: ANSWER_MS }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (text: string) => {
        body += text;
      });
      response.once('end', () => resolve({ status: response.statusCode ?? 0, body }));
      response.once('error', reject);
    });
    call.once('error', reject);
    call.once('timeout', () => call.destroy(new Error('no answer in time')));
  });
}
