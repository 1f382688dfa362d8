import assert from 'node:assert/strict';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { start } from '../../src/lib/exec.ts';
import { createRouterClient } from '../../src/router/router-client.ts';
import { get } from './support/http-requests.ts';
import { oneApp, startBackend, temporaryFolder, until } from './support/router-harness.ts';

test('after kill -9 of the router its workers end what is in flight and leave, and the next one serves on the same port', async (t) => {
  let finish: () => void = () => {};
  const backend = await startBackend(t, (incoming, response) => {
    if (incoming.url === '/slow') finish = () => response.end('slow');
    else response.end('ok');
  });
  const dataFolder = await temporaryFolder(t);
  const program = fileURLToPath(new URL('./support/router-program.ts', import.meta.url));
  const launch = async (httpPort: number): Promise<{ kill(): void; port: number; workers: readonly number[] }> => {
    const cache = join(tmpdir(), 'berth-router-test-code');
    const child = start([process.execPath, program, dataFolder, String(httpPort), cache], {
      environment: {},
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    t.after(() => child.kill('SIGKILL'));
    assert.ok(child.stdout !== null);
    const [line] = await once(child.stdout, 'data');
    return { kill: () => child.kill('SIGKILL'), ...JSON.parse(String(line)) };
  };
  const first = await launch(0);
  const router = createRouterClient({ socketPath: join(dataFolder, 'run', 'router.sock') });
  await router.apply(oneApp(1, backend.port));
  router.close();
  const slow = get(first.port, 'a.test', '/slow');
  let begun = false;
  backend.server.once('request', () => {
    begun = true;
  });
  await until(() => begun);
  first.kill();
  const second = await launch(first.port);
  assert.equal((await get(second.port, 'a.test', '/')).body, 'ok');
  finish();
  assert.equal((await slow).body, 'slow');
  await until(() => first.workers.every((pid) => !isAlive(pid)));
  second.kill();
  await until(() => second.workers.every((pid) => !isAlive(pid)));
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
