// test-timeout: 300
/** An instance whose image does not come: it can be stopped, which ends the pull, and when the registry gives up it says why. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { specFor, until, untilState } from '../../src/engines/conformance/harness.ts';
import { publicOnly } from '../../src/engines/docker/images/registry-rules.ts';
import { start } from '../../src/lib/exec.ts';
import { missingForDocker } from '../support/docker-daemon.ts';
import { dockerHarness } from './support/docker-harness.ts';

const SOON_MS = 20_000;
/**
 * A registry with two images that never come to an end; of any other it says nothing. Prints where it is and what the images are, then who
 * asked for their layers and who has gone again.
 */
const registry = `const digestOf = (text) => 'sha256:' + require('node:crypto').createHash('sha256').update(text).digest('hex');
const kind = 'application/vnd.docker.';
const files = {};
const images = ['1', '2'].map((digit) => {
  const layer = 'sha256:' + digit.repeat(64);
  const system = { os: 'linux', architecture: process.arch === 'x64' ? 'amd64' : process.arch };
  const config = JSON.stringify({ ...system, config: {}, rootfs: { type: 'layers', diff_ids: [layer] } });
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: kind + 'distribution.manifest.v2+json',
    config: { mediaType: kind + 'container.image.v1+json', size: config.length, digest: digestOf(config) },
    layers: [{ mediaType: kind + 'image.rootfs.diff.tar.gzip', size: 1e9, digest: layer }],
  });
  files[digestOf(config)] = config;
  files[digestOf(manifest)] = manifest;
  return digestOf(manifest);
});
const server = require('node:http').createServer(({ url }, response) => {
  const file = files[url.split('/').pop()];
  if (url === '/v2/') response.end();
  else if (file) response.writeHead(200, { 'Content-Type': kind + 'distribution.manifest.v2+json' }).end(file);
  else console.log('asked');
  if (!url.includes('/blobs/') || file) return;
  response.writeHead(200, { 'Content-Length': 1e9 });
  const drip = setInterval(() => response.write('some of it'), 100);
  response.once('close', () => {
    clearInterval(drip);
    console.log('left');
  });
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port + ' ' + images.join(' ')));`;

test('an instance is stopped while its image is pulled, which ends the pull; a registry that says nothing is said to', async (t) => {
  const missing = missingForDocker();
  if (missing !== null) return t.skip(missing);
  const harness = await dockerHarness({ registries: { ...publicOnly, allowPrivate: true } });
  const argv = ['nsenter', `--net=/run/netns/${harness.daemon.namespace}`, '--', process.execPath, '-e', registry];
  const silent = start(argv, { environment: { PATH: '/usr/bin:/bin' }, stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(async () => {
    silent.kill();
    await harness.close();
  });
  let printed = '';
  silent.stdout?.on('data', (chunk: Buffer) => {
    printed += chunk.toString();
  });
  const count = (word: string): number => printed.split('\n').filter((line) => line === word).length;
  await until('the registry is there', () => printed.includes('\n'));
  const [port, ...digests] = (printed.split('\n')[0] ?? '').split(' ');
  const host = `127.0.0.1:${port}`;
  const [stopped, removed, patient] = [...digests, `sha256:${'3'.repeat(64)}`].map((digest) =>
    specFor(harness, 'serve.js', [], {
      artifactDigest: `docker://${host}/team/app@${digest}`,
      command: { arguments: null },
    }),
  );
  assert.ok(stopped !== undefined && removed !== undefined && patient !== undefined);
  for (const spec of [stopped, removed, patient]) await harness.engine.start(spec);
  await until('the registry is asked for all three', () => count('asked') >= 3);
  assert.equal((await untilState(harness.engine, stopped.id, 'starting')).exit, null);

  const begun = performance.now();
  await harness.engine.stop(stopped.id, 0);
  await harness.engine.remove(removed.id);
  assert.ok(performance.now() - begun < SOON_MS, `it took ${performance.now() - begun} ms`);
  const { exit } = await untilState(harness.engine, stopped.id, 'exited');
  assert.equal(exit?.startError, 'it was stopped before it could start');
  assert.ok(!(await harness.engine.list()).some(({ id }) => id === removed.id));
  await until('their pulls are ended, and no other', () => count('left') === 2);

  silent.kill();
  const late = await untilState(harness.engine, patient.id, 'exited');
  assert.match(late.exit?.startError ?? '', new RegExp(`the registry ${host} does not answer`));
});
