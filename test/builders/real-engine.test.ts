/** Builds in the embedded engine's own sandbox, isolated and not. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { archiveFolder } from '../../src/builders/archive-folder.ts';
import { BuildFailure } from '../../src/core/ports/builder.ts';
import { runAgent } from '../../src/engines/process/agent.ts';
import { createProcessEngine } from '../../src/engines/process/client.ts';
import { systemClock, systemIds } from '../../src/lib/clock.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import {
  atEnd,
  createWorkbench,
  exampleFolder,
  never,
  tarOfFiles,
  temporaryFolder,
  type Workbench,
} from './workbench.ts';

async function benchWith(t: TestContext, isolation: 'auto' | 'none', limits = {}): Promise<Workbench> {
  const folder = await temporaryFolder(t);
  const socketPath = join(folder, 'run', 'agent.sock');
  return createWorkbench(t, limits, {
    folder,
    ownFileSystem: isolation === 'auto',
    async create(logs) {
      const hostEnvironment = { NODE_EXTRA_CA_CERTS: process.env['NODE_EXTRA_CA_CERTS'] ?? '' };
      const common = { dataFolder: folder, socketPath, clock: systemClock, ids: systemIds, logger: silentLogger };
      const agent = await runAgent({ ...common, isolation, logAppender: logs, hostEnvironment });
      const engine = createProcessEngine({ socketPath, logger: silentLogger });
      atEnd(t, async () => {
        engine.close();
        await agent.close({ everything: true });
      });
      return engine;
    },
  });
}

const isolations = existsSync('/usr/bin/bwrap') ? (['auto', 'none'] as const) : (['none'] as const);

for (const isolation of isolations) {
  test(`builds with a buildpack, keeps the cache, ends a cancelled build (isolation ${isolation})`, async (t) => {
    const bench = await benchWith(t, isolation);
    const buildpack = await tarOfFiles({
      'bin/compile*':
        '#!/bin/sh\nset -e\necho compiling\nid -u > "$1/uid"\ncat "$3/SECRET" > "$1/secret"\ntest -f "$2/kept" && touch "$1/was-cached" || true\ntouch "$2/kept"\n[ -z "$ENDLESS" ] || { echo endless; sleep 1000; }',
      'bin/release*': '#!/bin/sh\necho "default_process_types:\n  web: ./x"',
    });
    const env = { BUILDPACK_URL: `data:base64,${buildpack.toString('base64')}`, SECRET: 'a\n\'b\' "c" $d ü' };
    const input = bench.input(await tarOfFiles({ file: '1' }), { env });
    const output = await bench.builder.build(input, never);
    assert.deepEqual({ ...output.processes }, { web: './x' });
    assert.equal(await readFile(bench.file(output.artifactDigest, 'secret'), 'utf8'), env.SECRET);
    if (isolation === 'auto' && process.getuid?.() === 0) {
      assert.notEqual((await readFile(bench.file(output.artifactDigest, 'uid'), 'utf8')).trim(), '0');
    }
    assert.ok((await bench.log(input)).includes('compiling'), (await bench.log(input)).join('\n'));

    const again = {
      ...bench.input(await tarOfFiles({ file: '2' }), { env }),
      appId: input.appId,
      spaceId: input.spaceId,
    };
    const next = await bench.builder.build(again, never);
    assert.ok(existsSync(bench.file(next.artifactDigest, 'was-cached')));

    const endless = bench.input(await tarOfFiles({ file: '3' }), { env: { ...env, ENDLESS: '1' } });
    const controller = new AbortController();
    const cancelled = assert.rejects(bench.builder.build(endless, controller.signal));
    while (!(await bench.log(endless)).includes('endless')) await new Promise((resolve) => setTimeout(resolve, 10));
    controller.abort();
    await cancelled;
  });
}

test('installs from the npm registry inside the sandbox, and names the memory limit', async (t) => {
  const bench = await benchWith(t, isolations[0], { memoryBytes: 256 * 1024 * 1024 });
  const input = bench.input(await archiveFolder(exampleFolder('node-express')));
  const output = await bench.builder.build(input, never).catch(async (error) => {
    throw new Error(`${error}\n${(await bench.log(input)).join('\n')}`);
  });
  assert.ok(existsSync(bench.file(output.artifactDigest, 'node_modules/express/package.json')));

  const greedy = await tarOfFiles({
    'package.json': JSON.stringify({ scripts: { build: 'node b.js' } }),
    'b.js': 'const kept = []; for (;;) kept.push(Buffer.alloc(1e7, 1));',
  });
  await assert.rejects(bench.builder.build(bench.input(greedy), never), (error) => {
    assert.ok(error instanceof BuildFailure, String(error));
    assert.equal(error.code, 'memory');
    return true;
  });
});
