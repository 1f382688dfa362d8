import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { test } from 'node:test';
import type { RoutingTable } from '../../src/core/ports/router.ts';
import { readTable, tablePath } from '../../src/router/table-file.ts';
import { get } from './support/http-requests.ts';
import { oneApp, startBackend, startRouter, target, temporaryFolder } from './support/router-harness.ts';

/** As version 0.1 saved it: routes lead to apps, and apps have the targets. */
const former = (version: number, port: number) => ({
  version,
  routes: [
    { host: 'a.test', pathPrefix: '/', replacePrefix: null, appId: 'a' },
    { host: 'b.test', pathPrefix: '/', replacePrefix: null, appId: 'b' },
  ],
  apps: [
    { appId: 'a', handle: 'a', mode: 'serving', targets: [target('i1', port)] },
    { appId: 'b', handle: 'b', mode: 'maintenance', targets: [] },
  ],
  certificates: [],
});

test('a table of the former form reads as one backend for each app', () => {
  assert.deepEqual(readTable(former(3, 80)), {
    version: 3,
    routes: [
      { host: 'a.test', pathPrefix: '/', replacePrefix: null, backend: 'a' },
      { host: 'b.test', pathPrefix: '/', replacePrefix: null, backend: 'b' },
    ],
    backends: [
      { id: 'a', appId: 'a', mode: 'serving', targets: [target('i1', 80)] },
      { id: 'b', appId: 'b', mode: 'maintenance', targets: [] },
    ],
    certificates: [],
  } satisfies RoutingTable);
  const table = oneApp(4, 80);
  assert.deepEqual(readTable(JSON.parse(JSON.stringify(table))), table);
});

test('a router serves by the table that an older version left, until the server gives it a new one', async (t) => {
  const one = await startBackend(t, (_incoming, response) => response.end('one'));
  const two = await startBackend(t, (_incoming, response) => response.end('two'));
  const dataFolder = await temporaryFolder(t);
  const file = tablePath(dataFolder);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, JSON.stringify(former(7, one.port)));
  const { router, port } = await startRouter(t, { dataFolder });
  assert.equal((await get(port, 'a.test', '/')).body, 'one');
  assert.match((await get(port, 'b.test', '/')).body, /H80/);
  await router.apply(oneApp(6, two.port));
  assert.equal((await get(port, 'a.test', '/')).body, 'one', 'an older one changes nothing');
  await router.apply(oneApp(8, two.port));
  assert.equal((await get(port, 'a.test', '/')).body, 'two');
  assert.deepEqual(JSON.parse(await readFile(file, 'utf8')), oneApp(8, two.port));
});
