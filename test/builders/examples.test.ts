import assert from 'node:assert/strict';
import { once } from 'node:events';
import { cp, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { archiveFolder } from '../../src/builders/archive-folder.ts';
import type { BuildOutput } from '../../src/core/ports/builder.ts';
import { signalGroup, start } from '../../src/lib/exec.ts';
import { claimPort } from '../support/ports.ts';
import {
  atEnd,
  createWorkbench,
  exampleFolder,
  needsSandbox,
  never,
  temporaryFolder,
  type Workbench,
} from './workbench.ts';

async function buildExample(
  t: TestContext,
  name: string,
): Promise<{ bench: Workbench; output: BuildOutput; log: string[] }> {
  const bench = await createWorkbench(t);
  const input = bench.input(await archiveFolder(exampleFolder(name)));
  const output = await bench.builder.build(input, never);
  return { bench, output, log: await bench.log(input) };
}

/** Runs a built process in a copy of its artifact, as an engine would, and resolves when it answers. Gives its base URL. */
async function serve(
  t: TestContext,
  bench: Workbench,
  output: BuildOutput,
  env: Record<string, string> = {},
): Promise<string> {
  return (await launch(t, bench, output, env)).base;
}

async function launch(
  t: TestContext,
  bench: Workbench,
  output: BuildOutput,
  env: Record<string, string> = {},
): Promise<{ base: string; pid: number; exited: Promise<unknown[]> }> {
  const folder = join(await temporaryFolder(t), 'app');
  await cp(bench.file(output.artifactDigest, '.'), folder, { recursive: true, verbatimSymlinks: true });
  const port = await claimPort();
  const path = `${join(process.execPath, '..')}:/usr/bin:/bin`;
  const child = start(['/bin/sh', '-c', output.processes.web ?? 'exit 1'], {
    environment: { PATH: path, PORT: String(port), HOME: folder, ...env },
    cwd: folder,
    ownGroup: true,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const exited = once(child, 'exit');
  atEnd(t, async () => {
    signalGroup(child.pid, 'SIGKILL');
    await exited;
  });
  const base = `http://127.0.0.1:${port}`;
  while (child.exitCode === null) {
    const answer = await fetch(base).catch(() => null);
    await answer?.arrayBuffer();
    if (answer !== null) return { base, pid: child.pid ?? 0, exited };
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`the app ended with ${child.exitCode}`);
}

test('node-hello answers, hides secrets, and ends its requests on SIGTERM', async (t) => {
  const { bench, output } = await buildExample(t, 'node-hello');
  const env = { GREETING: 'Hi', API_TOKEN: 'hunter2', BERTH_INSTANCE_ID: 'web.1' };
  const { base, pid, exited } = await launch(t, bench, output, env);
  assert.deepEqual(await (await fetch(base)).json(), { greeting: 'Hi', instance: 'web.1' });
  const shown = await (await fetch(`${base}/env`)).text();
  assert.doesNotMatch(shown, /hunter2/);
  assert.equal(JSON.parse(shown).API_TOKEN, '[hidden]');
  assert.equal((await fetch(`${base}/nothing`)).status, 404);
  const slow = fetch(`${base}/slow?ms=300`);
  // The request is in when the next one, sent after it, is answered.
  await (await fetch(`${base}/health`)).arrayBuffer();
  signalGroup(pid, 'SIGTERM');
  assert.deepEqual(await (await slow).json(), { sleptMs: 300, instance: 'web.1' });
  await exited;
});

test('node-express is installed by its lockfile', async (t) => {
  if (!needsSandbox(t)) return;
  const { bench, output, log } = await buildExample(t, 'node-express');
  assert.ok(log.includes('-----> Installing dependencies with npm ci'), log.join('\n'));
  const base = await serve(t, bench, output);
  assert.deepEqual(await (await fetch(base)).json(), { greeting: 'Hello from Express', express: '5.1.0' });
});

test('python-hello needs nothing installed', async (t) => {
  const { bench, output } = await buildExample(t, 'python-hello');
  assert.deepEqual(bench.sandbox.ran, []);
  const base = await serve(t, bench, output, { GREETING: 'Hej' });
  assert.deepEqual(await (await fetch(base)).json(), { greeting: 'Hej' });
});

test('web-worker has two process types', async (t) => {
  const { bench, output } = await buildExample(t, 'web-worker');
  assert.deepEqual({ ...output.processes }, { web: 'node web.js', worker: 'node worker.js' });
  const base = await serve(t, bench, output);
  assert.equal(await (await fetch(base)).text(), 'web\n');
});

test('static-site is served with types, validators, ranges, and nothing beside it', async (t) => {
  const { bench, output } = await buildExample(t, 'static-site');
  const base = await serve(t, bench, output);
  const index = await fetch(base);
  assert.equal(index.headers.get('content-type'), 'text/html; charset=utf-8');
  const page = await index.text();
  assert.match(page, /A static site/);
  const css = await fetch(`${base}/css/site.css`);
  assert.equal(css.headers.get('content-type'), 'text/css; charset=utf-8');
  await css.arrayBuffer();
  const head = await fetch(base, { method: 'HEAD' });
  assert.equal(head.headers.get('content-length'), String(Buffer.byteLength(page)));
  assert.equal(await head.text(), '');
  const etag = index.headers.get('etag') ?? '';
  assert.equal((await fetch(base, { headers: { 'if-none-match': etag } })).status, 304);
  const part = await fetch(base, { headers: { range: 'bytes=0-14' } });
  assert.equal(part.status, 206);
  assert.equal(await part.text(), '<!doctype html>');
  assert.equal(await (await fetch(base, { headers: { range: 'bytes=-8' } })).text(), '</html>\n');
  assert.equal((await fetch(base, { headers: { range: 'bytes=99999-' } })).status, 416);
  assert.match(await (await fetch(`${base}/about`)).text(), /clean_urls/);
  assert.equal((await fetch(base, { method: 'POST' })).status, 405);
  const hidden = [
    '/.berth/static-server.ts',
    '/static.json',
    '/%2e%2e/%2e%2e/etc/passwd',
    '/..%2fetc/passwd',
    '/a%00b',
    '/%',
    '/css',
  ];
  for (const path of hidden) {
    const answer = await fetch(base + path, { redirect: 'manual' });
    assert.equal(answer.status, 404, path);
    assert.match(await answer.text(), /not found/i);
  }
});

test('the examples that fail do build', async (t) => {
  for (const name of ['crash-at-boot', 'memory-leak', 'never-listens']) {
    const { output } = await buildExample(t, name);
    assert.ok(output.processes.web, name);
  }
});

test('every example has a README and is listed', async () => {
  const list = await readFile(exampleFolder('README.md'), 'utf8');
  for (const entry of await readdir(exampleFolder('.'), { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    assert.ok((await stat(exampleFolder(`${entry.name}/README.md`))).isFile());
    assert.ok(list.includes(`](${entry.name})`), entry.name);
  }
});
