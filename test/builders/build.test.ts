import assert from 'node:assert/strict';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { archiveFolder } from '../../src/builders/archive-folder.ts';
import { BuildFailure } from '../../src/core/ports/builder.ts';
import { Secret } from '../../src/core/ports/secret.ts';
import { createWorkbench, exampleFolder, needsSandbox, never, tarOfFiles } from './workbench.ts';

const failsWith = (code: BuildFailure['code'], words: RegExp) => (error: unknown) => {
  assert.ok(error instanceof BuildFailure, String(error));
  assert.equal(error.code, code);
  assert.match(error.message, words);
  return true;
};

test('builds a Node app without dependencies, starting no program', async (t) => {
  const bench = await createWorkbench(t);
  const input = bench.input(await archiveFolder(exampleFolder('node-hello')));
  const output = await bench.builder.build(input, never);
  assert.deepEqual({ ...output.processes }, { web: 'node server.js' });
  assert.equal(output.buildpack, 'node');
  assert.equal(output.reused, false);
  assert.match(output.artifactDigest, /^sha256:[0-9a-f]{64}$/);
  assert.deepEqual(bench.sandbox.ran, []);
  const server = bench.file(output.artifactDigest, 'server.js');
  assert.equal(await readFile(server, 'utf8'), await readFile(join(exampleFolder('node-hello'), 'server.js'), 'utf8'));
  assert.equal((await stat(server)).mode & 0o777, 0o644);
  const log = await bench.log(input);
  assert.ok(log.includes('-----> Node.js app detected'), log.join('\n'));
  assert.ok(log.some((line) => line.includes('Procfile declares types -> web')));
  assert.deepEqual(await readdir(join(bench.folder, 'builds')), [], 'the workspace is gone');
});

test('builds the same source once, and again for other config', async (t) => {
  const bench = await createWorkbench(t);
  const archive = await archiveFolder(exampleFolder('node-hello'));
  const first = await bench.builder.build(bench.input(archive, { env: { GREETING: 'a' } }), never);
  const second = bench.input(archive, { env: { GREETING: 'a' } });
  const again = await bench.builder.build(second, never);
  assert.deepEqual({ ...again }, { ...first, reused: true });
  assert.ok((await bench.log(second)).some((line) => line.includes('used again')));
  const other = await bench.builder.build(bench.input(archive, { env: { GREETING: 'b' } }), never);
  assert.equal(other.reused, false);
  assert.equal(other.artifactDigest, first.artifactDigest, 'the same content has the same digest');
});

test('keeps no config in the clear in its index', async (t) => {
  const bench = await createWorkbench(t);
  const archive = await archiveFolder(exampleFolder('node-hello'));
  await bench.builder.build(bench.input(archive, { env: { TOKEN: 'hunter2-hunter2' } }), never);
  for (const entry of await readdir(bench.folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const text = await readFile(join(entry.parentPath, entry.name), 'latin1');
    assert.ok(!text.includes('hunter2-hunter2'), entry.name);
  }
});

test('verifies the checksum', async (t) => {
  const bench = await createWorkbench(t);
  const archive = await archiveFolder(exampleFolder('node-hello'));
  const base = bench.input(archive);
  assert.equal(base.source.kind, 'archive');
  const withChecksum = (checksum: string) => ({ ...base, source: { ...base.source, checksum } as typeof base.source });
  await assert.rejects(
    bench.builder.build(withChecksum('0'.repeat(64)), never),
    failsWith('checksum', /not sha256:0000/),
  );
  await assert.rejects(bench.builder.build(withChecksum('md5:abc'), never), failsWith('checksum', /64 hex digits/));
  assert.ok((await bench.log(base)).some((line) => line.startsWith(' !     ') && line.includes('(checksum)')));
  assert.equal((await bench.builder.build(withChecksum(''), never)).reused, false);
});

test('builds from an upload, and says when it is gone', async (t) => {
  const bench = await createWorkbench(t);
  const archive = await archiveFolder(exampleFolder('node-hello'));
  const blob = await bench.blobs.put([archive] as unknown as AsyncIterable<Uint8Array>, { maxBytes: 1024 * 1024 });
  const source = { kind: 'archive', url: new Secret(`upload:${blob.id}`), checksum: `sha256:${blob.sha256}` } as const;
  const output = await bench.builder.build(bench.input(archive, { source }), never);
  assert.equal(output.buildpack, 'node');
  await bench.blobs.remove(blob.id);
  await assert.rejects(
    bench.builder.build(bench.input(archive, { source }), never),
    failsWith('source', /upload it again/),
  );
});

test('refuses what needs a container engine, naming the setting', async (t) => {
  const bench = await createWorkbench(t);
  const archive = await tarOfFiles({ Dockerfile: 'FROM scratch\n' });
  await assert.rejects(
    bench.builder.build(bench.input(archive), never),
    failsWith('unsupported', /BERTH_ENGINE=docker/),
  );
  const source = { kind: 'image', reference: new Secret('nginx:latest') } as const;
  await assert.rejects(
    bench.builder.build(bench.input(archive, { source }), never),
    failsWith('unsupported', /BERTH_ENGINE=docker/),
  );
});

test('prunes artifacts that nothing needs and that are not new', async (t) => {
  const bench = await createWorkbench(t, { pruneGraceMs: 0 });
  const one = await bench.builder.build(bench.input(await tarOfFiles({ Procfile: 'web: ./one' })), never);
  const two = await bench.builder.build(bench.input(await tarOfFiles({ Procfile: 'web: ./two' })), never);
  // The clock of files is coarser than that of the platform.
  while (Date.now() - (await stat(bench.file(two.artifactDigest, '../artifact.json'))).mtimeMs < 20)
    await new Promise(setImmediate);
  const { removed, freedBytes } = await bench.builder.prune(new Set([one.artifactDigest]));
  assert.equal(removed, 1);
  assert.equal(freedBytes, two.sizeBytes);
  assert.equal(await bench.builder.hasArtifact(one.artifactDigest), true);
  assert.equal(await bench.builder.hasArtifact(two.artifactDigest), false);
  assert.equal(await bench.builder.hasArtifact('sha256:../../etc'), false);
  const again = await bench.builder.build(bench.input(await tarOfFiles({ Procfile: 'web: ./two' })), never);
  assert.equal(again.reused, false);
});

test('hands config to the build byte for byte, and kills a cancelled build', async (t) => {
  if (!needsSandbox(t)) return;
  const bench = await createWorkbench(t);
  const value = 'line one\nline "two" \'three\' `four` $FIVE \\ äöü 🚢\n';
  const script = "require('fs').writeFileSync('built.json', JSON.stringify(process.env.CHECK))";
  const archive = await tarOfFiles({
    'package.json': JSON.stringify({ scripts: { build: 'node build.js', start: 'node x.js' } }),
    'build.js': script,
  });
  const output = await bench.builder.build(bench.input(archive, { env: { CHECK: value, PATH: '/nowhere' } }), never);
  assert.equal(JSON.parse(await readFile(bench.file(output.artifactDigest, 'built.json'), 'utf8')), value);
  assert.deepEqual({ ...output.processes }, { web: 'node x.js' });

  const endless = await tarOfFiles({
    'package.json': JSON.stringify({ scripts: { build: 'node build.js' } }),
    'build.js': "console.log('building on'); setInterval(() => {}, 1000)",
  });
  const input = bench.input(endless);
  const controller = new AbortController();
  const building = bench.builder.build(input, controller.signal);
  const cancelled = assert.rejects(building, { name: 'AbortError' });
  while (!(await bench.log(input)).includes('building on')) await new Promise(setImmediate);
  controller.abort();
  await cancelled;
  assert.deepEqual(await bench.sandbox.jobs(), []);
  assert.deepEqual(await readdir(join(bench.folder, 'builds')), []);
  assert.ok(!(await bench.log(input)).some((line) => line.startsWith(' !')), 'a cancelled build is no failure');
});

test('names the limit that ended a build', async (t) => {
  if (!needsSandbox(t)) return;
  const appOf = (build: string) =>
    tarOfFiles({ 'package.json': JSON.stringify({ scripts: { build: 'node b.js' } }), 'b.js': build });
  const slow = await createWorkbench(t, { buildMs: 3_000 });
  await assert.rejects(
    slow.builder.build(slow.input(await appOf('setInterval(() => {}, 1000)')), never),
    failsWith('timeout', /longer than 3 seconds \(in script build\)/),
  );
  const loud = await createWorkbench(t, { outputBytes: 1000 });
  await assert.rejects(
    // With pauses: npm may have made its output one that takes what fits, and a loop without an end would never write the rest.
    loud.builder.build(loud.input(await appOf("setInterval(() => console.log('loud'.repeat(100)), 1)")), never),
    failsWith('output', /more than 1000 B/),
  );
  await assert.rejects(
    loud.builder.build(loud.input(await appOf('process.exit(3)')), never),
    failsWith('compile', /script build failed with exit code 1|exit code 3/),
  );
});
