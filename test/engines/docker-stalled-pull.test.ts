// test-timeout: 300
/** An instance whose image does not come: it can be stopped, and when the registry gives up it says why. */
import assert from 'node:assert/strict';
import { createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { specFor, until, untilState } from '../../src/engines/conformance/harness.ts';
import { publicOnly } from '../../src/engines/docker/images/registry-rules.ts';
import { missingForDocker } from '../support/docker-daemon.ts';
import { dockerHarness } from './support/docker-harness.ts';

const SOON_MS = 5_000;

test('an instance is stopped while its image is pulled from a registry that says nothing', async (t) => {
  const missing = missingForDocker();
  if (missing !== null) return t.skip(missing);
  const harness = await dockerHarness({ registries: { ...publicOnly, allowPrivate: true } });
  const guests = new Set<Socket>();
  const silent = createServer((guest) => void guests.add(guest.on('error', () => {})));
  t.after(async () => {
    for (const guest of guests) guest.destroy();
    silent.close();
    await harness.close();
  });
  const { hostAddress } = harness.daemon;
  await new Promise<void>((resolve) => silent.listen(0, hostAddress, resolve));
  const at = silent.address();
  const port = typeof at === 'object' && at !== null ? at.port : 0;
  const image = (digit: string) => ({
    artifactDigest: `docker://${hostAddress}:${port}/team/app@sha256:${digit.repeat(64)}`,
    command: { arguments: null },
  });
  const [stopped, removed, patient] = ['1', '2', '3'].map((digit) => specFor(harness, 'serve.js', [], image(digit)));
  assert.ok(stopped !== undefined && removed !== undefined && patient !== undefined);
  for (const spec of [stopped, removed, patient]) await harness.engine.start(spec);
  await until('the registry is asked for all three', () => guests.size >= 3);
  assert.equal((await untilState(harness.engine, stopped.id, 'starting')).exit, null);

  const begun = performance.now();
  await harness.engine.stop(stopped.id, 0);
  await harness.engine.remove(removed.id);
  assert.ok(performance.now() - begun < SOON_MS, `it took ${performance.now() - begun} ms`);
  const { exit } = await untilState(harness.engine, stopped.id, 'exited');
  assert.equal(exit?.startError, 'it was stopped before it could start');
  assert.ok(!(await harness.engine.list()).some(({ id }) => id === removed.id));

  for (const guest of guests) guest.destroy();
  const late = await untilState(harness.engine, patient.id, 'exited');
  assert.match(late.exit?.startError ?? '', new RegExp(`the registry ${hostAddress}:${port} does not answer`));
});
