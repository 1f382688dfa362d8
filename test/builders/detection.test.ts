import assert from 'node:assert/strict';
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { BuildFailure } from '../../src/core/ports/builder.ts';
import { Secret } from '../../src/core/ports/secret.ts';
import { createWorkbench, needsSandbox, never, tarOfFiles } from './workbench.ts';

const profile = 'for file in ./.profile.d/*.sh; do . "$file"; done; ';
const manifest = (fields: object): string => JSON.stringify(fields);

const table: readonly [
  what: string,
  files: Record<string, string>,
  buildpack: string,
  processes: Record<string, string>,
][] = [
  ['start script', { 'package.json': manifest({ scripts: { start: 'node a.js' } }) }, 'node', { web: 'node a.js' }],
  [
    'start with prestart',
    { 'package.json': manifest({ scripts: { start: 'node a.js', prestart: 'x' } }) },
    'node',
    { web: 'npm start' },
  ],
  ['main', { 'package.json': manifest({ main: 'lib/a.js' }), 'lib/a.js': '' }, 'node', { web: 'node lib/a.js' }],
  [
    'main with a quote',
    { 'package.json': manifest({ main: "a';x.js" }), "a';x.js": '', 'server.js': '' },
    'node',
    { web: 'node server.js' },
  ],
  ['server.js', { 'package.json': '{}', 'server.js': '' }, 'node', { web: 'node server.js' }],
  ['nothing to start', { 'package.json': '{}' }, 'node', {}],
  [
    'Procfile over start',
    { 'package.json': manifest({ scripts: { start: 'a' } }), Procfile: 'worker: b' },
    'node',
    { worker: 'b' },
  ],
  [
    'package.json before index.html',
    { 'package.json': '{}', 'index.html': '', 'index.js': '' },
    'node',
    { web: 'node index.js' },
  ],
  ['app.py', { 'app.py': '' }, 'python', { web: `${profile}python3 app.py` }],
  [
    'main.py and no requirement',
    { 'main.py': '', 'requirements.txt': '# none\n\n' },
    'python',
    { web: `${profile}python3 main.py` },
  ],
  [
    'pyproject without dependencies',
    { 'app.py': '', 'pyproject.toml': '[project]\nname = "a"\ndependencies = []\n' },
    'python',
    { web: `${profile}python3 app.py` },
  ],
  ['index.html', { 'index.html': '' }, 'static', { web: 'exec node .berth/static-server.ts "$PORT"' }],
  [
    'static.json',
    { 'static.json': '{"root":"public"}', 'public/index.html': '' },
    'static',
    { web: 'exec node .berth/static-server.ts "$PORT"' },
  ],
  ['Procfile alone', { Procfile: 'web: ./run', 'run*': '#!/bin/sh\n' }, 'procfile', { web: './run' }],
];

test('recognises each kind of source', async (t) => {
  const bench = await createWorkbench(t);
  for (const [what, files, buildpack, processes] of table) {
    await t.test(what, async () => {
      const output = await bench.builder.build(bench.input(await tarOfFiles(files)), never);
      assert.equal(output.buildpack, buildpack);
      assert.deepEqual({ ...output.processes }, processes);
    });
  }
  assert.deepEqual(bench.sandbox.ran, [], 'none of these needs a program to be run');
});

test('says what is wrong with a source', async (t) => {
  const bench = await createWorkbench(t);
  const cases: readonly [files: Record<string, string>, code: string, words: RegExp][] = [
    [{ 'main.cob': '' }, 'detect', /no language recognised: .*BUILDPACK_URL/],
    [{ 'package.json': '{' }, 'source', /package.json is not valid JSON/],
    [{ 'package.json': '[]' }, 'source', /does not hold a JSON object/],
    [{ Procfile: 'nonsense' }, 'source', /Procfile line 1/],
    [
      { 'package.json': manifest({ dependencies: { a: '1' } }), 'yarn.lock': '', 'package-lock.json': '' },
      'source',
      /one lockfile/,
    ],
    [{ 'app.py': '', '.profile.d': 'x' }, 'source', /\.profile\.d must be a folder/],
  ];
  for (const [files, code, words] of cases) {
    await assert.rejects(bench.builder.build(bench.input(await tarOfFiles(files)), never), (error) => {
      assert.ok(error instanceof BuildFailure, String(error));
      assert.equal(error.code, code);
      assert.match(error.message, words);
      return true;
    });
  }
});

const classicFiles = {
  'bin/detect*': '#!/bin/sh\ntest -f "$1/app.custom" && echo Custom',
  'bin/compile*': `#!/bin/sh
set -e
echo "-----> Compiling"
cat "$3/SECRET" > "$1/secret.txt"
test -f "$2/count" && cp "$2/count" "$1/count" || echo none > "$1/count"
echo cached > "$2/count"
mkdir -p "$1/.profile.d"
echo 'export FROM_PROFILE=yes' > "$1/.profile.d/custom.sh"`,
  'bin/release*': '#!/bin/sh\necho "default_process_types:\n  web: ./start\n  worker: ./work"',
};

test('builds by a classic buildpack of BUILDPACK_URL, with cache and config', async (t) => {
  if (!needsSandbox(t)) return;
  const bench = await createWorkbench(t);
  const url = `data:;base64,${(await tarOfFiles(classicFiles)).toString('base64')}`;
  const source = await tarOfFiles({ 'app.custom': '1', Procfile: 'worker: ./mine' });
  const env = { BUILDPACK_URL: url, SECRET: 'a\n"b" ü' };
  const input = bench.input(source, { env });
  const output = await bench.builder.build(input, never);
  assert.equal(output.buildpack, 'custom');
  assert.deepEqual({ ...output.processes }, { web: `${profile}./start`, worker: `${profile}./mine` });
  assert.equal(await readFile(bench.file(output.artifactDigest, 'secret.txt'), 'utf8'), env.SECRET);
  assert.equal(await readFile(bench.file(output.artifactDigest, 'count'), 'utf8'), 'none\n');
  const log = await bench.log(input);
  assert.ok(log.includes('-----> Custom app detected') && log.includes('-----> Compiling'), log.join('\n'));

  const changed = await tarOfFiles({ 'app.custom': '2', Procfile: 'worker: ./mine' });
  const next = await bench.builder.build({ ...bench.input(changed, { env }), appId: input.appId }, never);
  assert.equal(await readFile(bench.file(next.artifactDigest, 'count'), 'utf8'), 'cached\n');
  const stranger = await bench.builder.build(bench.input(changed, { env: { ...env, OTHER: '1' } }), never);
  assert.equal(
    await readFile(bench.file(stranger.artifactDigest, 'count'), 'utf8'),
    'none\n',
    'another app has its own cache',
  );
  for (const job of bench.sandbox.ran) assert.doesNotMatch(job.command.join(' '), /ü/, 'no config on a command line');
});

test('builds by an installed buildpack before its own', async (t) => {
  if (!needsSandbox(t)) return;
  const bench = await createWorkbench(t);
  const folder = join(bench.folder, 'buildpacks', 'custom-lang', 'bin');
  await mkdir(folder, { recursive: true });
  for (const [name, text] of Object.entries(classicFiles)) {
    const path = join(folder, '..', name.slice(0, -1));
    await writeFile(path, text);
    await chmod(path, 0o755);
  }
  const fits = await bench.builder.build(
    bench.input(await tarOfFiles({ 'app.custom': '', 'package.json': '{}' }), { env: { SECRET: 's' } }),
    never,
  );
  assert.equal(fits.buildpack, 'custom-lang');
  const other = await bench.builder.build(
    bench.input(await tarOfFiles({ 'package.json': '{}', 'index.js': '' })),
    never,
  );
  assert.equal(other.buildpack, 'node');
});

test('a build cannot make the platform read or write outside its tree', async (t) => {
  if (!needsSandbox(t)) return;
  const bench = await createWorkbench(t);
  const outside = join(bench.folder, 'outside');
  await mkdir(outside, { mode: 0o777 });
  const script = `
const fs = require('fs');
fs.rmSync('Procfile', { force: true });
fs.symlinkSync('/etc/passwd', 'Procfile');
fs.symlinkSync(${JSON.stringify(outside)}, '.profile.d');
fs.symlinkSync('/etc/shadow', 'shadow');
require('child_process').execFileSync('mkfifo', ['pipe', 'static.json']);
fs.mkdirSync('closed'); fs.writeFileSync('closed/f', 'x'); fs.chmodSync('closed', 0);`;
  const files = {
    'package.json': manifest({ scripts: { build: 'node b.js', start: 'node b.js' } }),
    'b.js': script,
    Procfile: 'web: x',
  };
  const output = await bench.builder.build(bench.input(await tarOfFiles(files)), never);
  assert.deepEqual({ ...output.processes }, { web: 'node b.js' }, 'a linked Procfile is none');
  assert.deepEqual(await readdir(outside), []);
  const kept = await readdir(bench.file(output.artifactDigest, '.'));
  assert.ok(kept.includes('closed') && kept.includes('shadow') && !kept.includes('pipe'), kept.join());
});

test('fetches over http, and hands on what the server said', async (t) => {
  const { createServer } = await import('node:http');
  const archive = await tarOfFiles({ Procfile: 'web: ./a' });
  const server = createServer((request, response) => {
    if (request.url === '/a.tar?sig=hunter2') response.end(archive);
    else if (request.url === '/cut')
      response.writeHead(200, { 'content-length': '999999' }).end('x', () => response.destroy());
    else response.writeHead(403).end();
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const bench = await createWorkbench(t, { archiveBytes: 100_000 });
  const { port } = server.address() as { port: number };
  const inputOf = (path: string) => {
    const url = new Secret(`http://127.0.0.1:${port}${path}`);
    return bench.input(archive, { source: { kind: 'archive', url, checksum: null } });
  };
  const input = inputOf('/a.tar?sig=hunter2');
  assert.equal((await bench.builder.build(input, never)).buildpack, 'procfile');
  assert.doesNotMatch((await bench.log(input)).join('\n'), /hunter2/);
  await assert.rejects(bench.builder.build(inputOf('/none'), never), /answered 403/);
  await assert.rejects(bench.builder.build(inputOf('/cut'), never), /broke off/);
  await assert.rejects(
    bench.builder.build({ ...input, source: { kind: 'archive', url: new Secret('ftp://x/y'), checksum: null } }, never),
    /must be http/,
  );
});
