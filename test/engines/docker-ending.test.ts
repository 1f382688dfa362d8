/** The end of an instance, over a server that stands in for a daemon whose runtime hangs: nobody waits for ever, and nothing stays open. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { DockerApi } from '../../src/engines/docker/api/docker-api.ts';
import { Ending } from '../../src/engines/docker/ending.ts';
import { Names } from '../../src/engines/docker/names.ts';
import { Notes } from '../../src/engines/docker/notes.ts';
import type { Found } from '../../src/engines/docker/roster.ts';
import { until } from '../support/until.ts';

test('what outlives SIGKILL, or cannot be killed, is given up, and is not waited for behind the scenes', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'berth-ending-'));
  let waiting = 0;
  let refusal: string | null = null;
  const server = createServer((request, response) => {
    if (request.url?.startsWith('/version') === true)
      return response.end(JSON.stringify({ Version: '20.10.24', ApiVersion: '1.41' }));
    if (request.url?.includes('/wait') !== true)
      return response
        .writeHead(refusal === null ? 204 : 500)
        .end(refusal === null ? '' : JSON.stringify({ message: refusal }));
    waiting += 1;
    response.once('close', () => {
      waiting -= 1;
    });
    return response.writeHead(200).flushHeaders();
  });
  server.listen(join(folder, 'socket'));
  await once(server, 'listening');
  const api = new DockerApi({ kind: 'unix', path: join(folder, 'socket') });
  t.after(() => {
    api.close();
    server.close();
    server.closeAllConnections();
    rmSync(folder, { recursive: true });
  });
  const ending = new Ending({
    ...{ api, names: new Names('ending'), notes: new Notes(join(folder, 'notes')), killedMs: 300 },
    ...{ signal: new AbortController().signal, changed: () => {} },
  });
  const found = { identity: { id: 'one' }, details: { Config: {} } } as unknown as Found;
  await assert.rejects(ending.end(found, 50), { kind: 'unavailable', message: /killed, and does not end/ });
  assert.equal(ending.isStopping('one'), false);
  await until('nobody waits for it', () => waiting === 0);
  refusal = 'cannot kill container: the runtime hangs';
  await assert.rejects(ending.end(found, 0), { status: 500 });
  await until('nobody waits for it either', () => waiting === 0);
});
