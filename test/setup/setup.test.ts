import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { isInstalled } from '../../setup/dependencies.mjs';
import { hydrateLinks, systemPostgres } from '../../setup/postgres.mjs';
import { signalGroup, start } from '../../src/lib/exec.ts';

const root = join(import.meta.dirname, '../..');

/** A temporary folder with these files. */
async function folderWith(t: TestContext, files: Record<string, string>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'setup-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text, { mode: 0o755 });
  }
  return folder;
}

test('an install counts only when it is what the lock file says', async (t) => {
  const lock = (packages: object): string => JSON.stringify({ packages });
  const a = { version: '1.0.0', integrity: 'sha512-a' };
  const wanted = lock({
    '': {},
    'node_modules/a': a,
    'node_modules/other-platform': { version: '1.0.0', optional: true },
  });
  const check = async (actual: string): Promise<boolean> =>
    isInstalled(await folderWith(t, { 'package-lock.json': wanted, 'node_modules/.package-lock.json': actual }));
  assert.equal(await check(lock({ 'node_modules/a': a })), true);
  assert.equal(await check(lock({ 'node_modules/a': { ...a, version: '1.0.1' } })), false);
  assert.equal(await check(lock({ 'node_modules/a': { ...a, integrity: 'sha512-b' } })), false);
  assert.equal(await check(lock({})), false);
  assert.equal(await check('{"packa'), false);
  assert.equal(isInstalled(await folderWith(t, { 'package-lock.json': wanted })), false);
});

test('library links are made once and never outside the package', async (t) => {
  const folder = await folderWith(t, {
    'native/lib/libx.so.1.2': 'library',
    'native/pg-symlinks.json': JSON.stringify([
      { source: 'native/lib/libx.so.1.2', target: 'native/lib/libx.so.1' },
      { source: 'native/lib/libx.so.1.2', target: '../evil' },
    ]),
  });
  hydrateLinks(folder);
  hydrateLinks(folder);
  assert.equal(await readlink(join(folder, 'native/lib/libx.so.1')), 'libx.so.1.2');
  assert.equal(await readFile(join(folder, 'native/lib/libx.so.1'), 'utf8'), 'library');
  await assert.rejects(readlink(join(folder, '../evil')), { code: 'ENOENT' });
  hydrateLinks(join(folder, 'not-there'));
});

test("the machine's newest whole PostgreSQL is taken, old ones are not", async (t) => {
  const bin = (version: number): Record<string, string> =>
    Object.fromEntries(['initdb', 'pg_ctl', 'postgres'].map((name) => [`${version}/bin/${name}`, '']));
  assert.equal(systemPostgres(await folderWith(t, bin(13))), null);
  const folder = await folderWith(t, { ...bin(13), ...bin(15), ...bin(9), '17/bin/psql': '' });
  assert.equal(systemPostgres(folder), join(folder, '15/bin'));
  assert.equal(systemPostgres(join(folder, 'missing')), null);
});

/** A program that ends with 7 on SIGTERM, run by the set-up's own runner; `pid` is the program's. */
async function runThroughSetup(t: TestContext, argv: (outer: string) => string[], environment: Record<string, string>) {
  const folder = await folderWith(t, {
    'program.mjs': `process.on('SIGTERM', () => process.exit(7)); setInterval(() => {}, 1000); console.log('pid=' + process.pid);`,
    'outer.mjs': `import { runToEnd } from ${JSON.stringify(join(root, 'setup/child.mjs'))};
      process.exitCode = await runToEnd([process.execPath, 'program.mjs'], { environment: {}, cwd: import.meta.dirname });`,
  });
  const outer = start(argv(join(folder, 'outer.mjs')), { environment, ownGroup: true });
  t.after(() => signalGroup(outer.pid, 'SIGKILL'));
  const [first] = await once(outer.stdout ?? assert.fail('no stdout'), 'data');
  return { outer, pid: Number(/pid=(\d+)/.exec(String(first))?.[1]) };
}

test('signals reach the program that was started, its exit code comes back, and nothing stays', async (t) => {
  const { outer, pid } = await runThroughSetup(t, (script) => [process.execPath, script], {});
  const exit = once(outer, 'exit');
  outer.kill('SIGTERM');
  assert.equal((await exit)[0], 7);
  assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
});

test('when npm or its shell is killed, the program ends too', async (t) => {
  const shell = (script: string): string[] => ['/bin/sh', '-c', '"$0" "$1"; exit 0', process.execPath, script];
  const { outer, pid } = await runThroughSetup(t, shell, { npm_lifecycle_event: 'start' });
  const closed = once(outer, 'close');
  outer.kill('SIGKILL');
  // The program and the runner hold the other end of our pipes until they are gone.
  await closed;
  assert.equal(await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''), '');
});

test('an unknown command says what there is', async () => {
  const child = start([process.execPath, join(root, 'setup/run.mjs'), 'fly'], { environment: {} });
  const [[code], [text]] = await Promise.all([
    once(child, 'exit'),
    once(child.stderr ?? assert.fail('no stderr'), 'data'),
  ]);
  assert.equal(code, 2);
  assert.match(String(text), /usage: .*start\|test\|check/);
});

test('each direct dependency has its reason in docs/dependencies.md', async () => {
  const reasons = await readFile(join(root, 'docs/dependencies.md'), 'utf8');
  const { dependencies, devDependencies } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  const missing = Object.keys({ ...dependencies, ...devDependencies }).filter((name) => !reasons.includes(name));
  assert.deepEqual(missing, []);
});
