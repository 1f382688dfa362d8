/** The end of an instance, over a server that stands in for a daemon whose runtime hangs: nobody waits for ever, and nothing stays open. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { Ending } from '../../src/engines/docker/ending.ts';
import { Names } from '../../src/engines/docker/names.ts';
import { Notes } from '../../src/engines/docker/notes.ts';
import type { Found } from '../../src/engines/docker/roster.ts';
import { until } from '../support/until.ts';
import { standInDaemon } from './support/stand-in-daemon.ts';

test('what outlives SIGKILL, or cannot be killed, is given up, and is not waited for behind the scenes', async (t) => {
  let waiting = 0;
  let refusal: string | null = null;
  const { api, folder } = await standInDaemon(t, (request, response) => {
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
