// test-timeout: 300
/** Images that ask for it run with files that nobody changes, and with memory at the two places where programs expect to write. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { pack } from 'tar-stream';
import { specFor } from '../../src/engines/conformance/harness.ts';
import type { ImageDetails } from '../../src/engines/docker/api/shapes.ts';
import { StackImage } from '../../src/engines/docker/images/stack-image.ts';
import { missingForDocker } from '../support/docker-daemon.ts';
import { apiOf } from '../support/small-image.ts';
import { dockerHarness } from './support/docker-harness.ts';

const missing = missingForDocker();

test('an image with the label berth.read-only changes nothing but /tmp, /run, its volumes and what it was given', async (t) => {
  if (missing !== null) return t.skip(missing);
  const harness = await dockerHarness();
  const api = apiOf(harness.daemon.host);
  t.after(async () => {
    api.close();
    await harness.close();
  });
  const stack = await new StackImage(api, process.execPath).ensure();
  const build = async (name: string, ...lines: readonly string[]): Promise<string> => {
    const tar = pack();
    tar.entry({ name: 'Dockerfile' }, [`FROM ${stack}`, ...lines, 'USER 4321:4321'].join('\n'));
    tar.finalize();
    const content = { type: 'application/x-tar', bytes: Readable.from(tar, { objectMode: false }) };
    await api.call('POST', '/build', { query: { t: name }, content });
    return `image:${(await api.call<ImageDetails>('GET', `/images/${name}/json`)).Id}`;
  };
  const run = async (artifactDigest: string, script: string, change: object = {}): Promise<string> => {
    const command = ['/bin/sh', '-c', script];
    const once = { kind: 'one-off', stdin: true, ports: [] } as const;
    const spec = specFor(harness, 'exit.js', [], { ...once, artifactDigest, command, ...change });
    await harness.engine.start(spec);
    const session = await harness.engine.attach(spec.id);
    session.stdin.end();
    const said = await text(session.stdout);
    await session.exit;
    await harness.engine.remove(spec.id);
    return said;
  };
  const tries = (...paths: readonly string[]): string =>
    paths.map((path) => `if touch ${path} 2>/dev/null; then echo ${path}; fi`).join('; ');

  const usual = await build('usual', 'RUN mkdir /own && chown 4321 /own');
  const readOnly = await build('read-only', 'RUN mkdir /own && chown 4321 /own', 'LABEL berth.read-only=true');
  assert.equal(await run(usual, tries('/own/x', '/tmp/x')), '/own/x\n/tmp/x\n');
  assert.equal(await run(readOnly, tries('/own/x', '/tmp/x', '/run/x')), '/tmp/x\n/run/x\n');
  const types = 'for path in / /tmp /run; do findmnt --noheadings --output OPTIONS "$path" | cut -d, -f1; done';
  assert.match(await run(readOnly, `${types}; findmnt --noheadings --output FSTYPE /tmp`), /^ro\nrw\nrw\ntmpfs\n$/);

  const path = `${harness.folder()}/upload`;
  writeFileSync(path, 'given');
  const uploads = [{ name: 'given.txt', path }];
  const script = `cat /tmp/uploads/given.txt; stat -c ' %u' /tmp/uploads/given.txt; ${tries('/own/x', '/tmp/x', '/tmp/uploads/x')}`;
  assert.equal(await run(readOnly, script, { uploads }), 'given 4321\n/tmp/x\n/tmp/uploads/x\n');
  const volumes = await api.call<{ Volumes: readonly object[] | null }>('GET', '/volumes');
  assert.deepEqual(volumes.Volumes ?? [], [], 'what it was given went with it');
});
