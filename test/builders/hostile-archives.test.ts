import assert from 'node:assert/strict';
import { lstat, mkdir, readdir, readFile, readlink, realpath, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { splitTreePath } from '../../src/builders/archives/tree-path.ts';
import { unpack } from '../../src/builders/archives/unpack.ts';
import { defaultLimits } from '../../src/builders/limits.ts';
import { BuildFailure } from '../../src/core/ports/builder.ts';
import { never, tarOf, temporaryFolder } from './workbench.ts';
import { zipOf } from './zip-of.ts';

type Entries = Parameters<typeof tarOf>[0];

async function unpackBytes(t: TestContext, bytes: Buffer, limits = defaultLimits, signal = never): Promise<string> {
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, 'archive'), bytes);
  const root = join(folder, 'work', 'tree');
  await mkdir(join(folder, 'work'));
  try {
    await unpack(join(folder, 'archive'), root, limits, signal);
  } finally {
    // Whatever the archive holds, nothing appears beside the tree.
    for (const name of await readdir(join(folder, 'work'))) assert.equal(name, 'tree');
    assert.equal((await readdir(folder)).sort().join(), 'archive,work');
  }
  return root;
}

function refusal(words: RegExp) {
  return (error: unknown): boolean => {
    assert.ok(error instanceof BuildFailure, String(error));
    assert.equal(error.code, 'source');
    assert.match(error.message, words);
    return true;
  };
}

const file = (name: string, text = 'x') => ({ name, text });
const symlink = (name: string, linkname: string) => ({ name, type: 'symlink', linkname }) as const;

const refusedTars: readonly [what: string, entries: Entries, words: RegExp][] = [
  ['a path with ..', [file('a/../../b')], /leaves the archive/],
  ['a .. that stays inside', [file('a/../b')], /leaves the archive/],
  ['an absolute path', [file('/etc/passwd')], /is absolute/],
  ['an absolute link', [symlink('passwd', '/etc/passwd')], /absolute path/],
  ['a link out', [symlink('a/up', '../../x')], /leaves the archive/],
  ['a chain of links out', [symlink('a/b', '..'), symlink('c', 'a/b/..'), file('d')], /leaves the archive/],
  ['a deeper chain out', [symlink('d/e/x', '../..'), symlink('y', 'd/e/x/../..'), file('z')], /leaves the archive/],
  ['a link that leaves the unwrapped folder', [file('top/a'), symlink('top/b', '../c')], /leaves the archive/],
  ['links in a circle', [symlink('a', 'b'), symlink('b', 'a')], /circles/],
  ['a link to nothing', [symlink('a', '')], /malformed/],
  ['a file through a link', [symlink('a', 'b'), file('a/c'), file('b/c')], /goes through "a", which is a link/],
  ['a file in place of a link', [file('t'), symlink('a', 't'), file('a')], /twice/],
  ['a folder in place of a link', [symlink('a', 'b'), { name: 'a', type: 'directory' }], /goes through|twice/],
  ['a file below a file', [file('a'), file('a/b')], /which is a file/],
  ['a hard link outside', [{ name: 'a', type: 'link', linkname: '../../etc/passwd' }], /leaves the archive/],
  ['a hard link to an absolute path', [{ name: 'a', type: 'link', linkname: '/etc/passwd' }], /is absolute/],
  ['a hard link to nothing', [{ name: 'a', type: 'link', linkname: 'b' }], /no file of the archive/],
  ['a hard link to a link', [symlink('b', 'c'), { name: 'a', type: 'link', linkname: 'b' }], /no file of the archive/],
  ['a device', [{ name: 'sda', type: 'block-device' }], /is a block device/],
  ['a character device', [{ name: 'null', type: 'character-device' }], /is a character device/],
  ['a pipe', [{ name: 'pipe', type: 'fifo' }], /is a fifo/],
  ['a long part', [file('a'.repeat(300))], /longer than 255/],
  ['a deep path', [file(`${'a/'.repeat(70)}b`)], /deeper than 64/],
  ['a long path', [file(`${`${'a'.repeat(200)}/`.repeat(6)}b`)], /longer than 1024/],
];

test('refuses tars that reach outside, or hold what no source holds', async (t) => {
  for (const [what, entries, words] of refusedTars) {
    await t.test(what, async (inner) => {
      const bytes = await tarOf(entries);
      await assert.rejects(unpackBytes(inner, bytes), refusal(words));
      await assert.rejects(unpackBytes(inner, gzipSync(bytes)), refusal(words));
    });
  }
});

test('refuses zips that reach outside, or hold what no source holds', async (t) => {
  const cases: readonly [what: string, Parameters<typeof zipOf>[0], words: RegExp][] = [
    ['a path with ..', [{ name: '../b', text: 'x' }], /invalid relative path|leaves/],
    ['an absolute path', [{ name: '/b', text: 'x' }], /absolute/],
    ['a drive', [{ name: 'C:/b', text: 'x' }], /absolute/],
    ['a link out', [{ name: 'a', text: '../../etc', mode: 0o120777 }], /leaves the archive/],
    ['an absolute link', [{ name: 'a', text: '/etc', mode: 0o120777 }], /absolute path/],
    [
      'a file through a link',
      [
        { name: 'a', text: 'b', mode: 0o120777 },
        { name: 'a/c', text: 'x' },
      ],
      /goes through/,
    ],
    ['a pipe', [{ name: 'a', text: '', mode: 0o010644 }], /is no file, folder or link/],
    ['an encrypted file', [{ name: 'a', text: 'x', flags: 1, deflate: true }], /encrypted/],
    ['a wrong size', [{ name: 'a', text: 'x'.repeat(1000), claimedSize: 10 }], /too many bytes|damaged/],
  ];
  for (const [what, entries, words] of cases) {
    await t.test(what, (inner) => assert.rejects(unpackBytes(inner, zipOf(entries)), refusal(words)));
  }
});

test('stops at its limits', async (t) => {
  const limits = { ...defaultLimits, entries: 10, unpackedBytes: 64 * 1024 * 1024 };
  const many = Array.from({ length: 11 }, (_, at) => file(`f${at}`));
  await assert.rejects(unpackBytes(t, await tarOf(many), limits), refusal(/more than 10 entries/));
  await assert.rejects(unpackBytes(t, zipOf(many), limits), refusal(/more than 10 entries/));
  await assert.rejects(
    unpackBytes(t, await tarOf([file('a/b/c/d/e/f/g/h/i/j/k/l')]), limits),
    refusal(/more than 10 entries/),
  );
  const big = { name: 'zeros', text: '\0'.repeat(40 * 1024 * 1024) };
  const tar = await tarOf([big]);
  await assert.rejects(unpackBytes(t, gzipSync(tar), limits), refusal(/200 times its size/));
  await assert.rejects(unpackBytes(t, zstdCompressSync(tar), limits), refusal(/200 times its size/));
  await assert.rejects(unpackBytes(t, zipOf([{ ...big, deflate: true }]), limits), refusal(/200 times its size/));
  await assert.rejects(unpackBytes(t, tar, { ...limits, unpackedBytes: 1024 }), refusal(/more than 1 KiB unpacked/));
});

test('refuses what is damaged, cut or no archive, in plain words', async (t) => {
  const tar = await tarOf([file('a', 'y'.repeat(5000))]);
  const tgz = gzipSync(tar);
  await assert.rejects(unpackBytes(t, tar.subarray(0, 2000)), refusal(/damaged/));
  await assert.rejects(unpackBytes(t, tgz.subarray(0, tgz.length - 20)), refusal(/damaged/));
  await assert.rejects(unpackBytes(t, zipOf([file('a')]).subarray(0, 40)), refusal(/damaged/));
  await assert.rejects(unpackBytes(t, gzipSync('hello')), refusal(/damaged/));
  await assert.rejects(unpackBytes(t, Buffer.from('<!doctype html>')), refusal(/neither a tar/));
  await assert.rejects(unpackBytes(t, Buffer.alloc(0)), refusal(/neither a tar/));
  await assert.rejects(unpackBytes(t, Buffer.alloc(1024)), refusal(/is empty/));
  await assert.rejects(unpackBytes(t, Buffer.from('BZh91AY&SY')), refusal(/bzip2/));
});

test('keeps what is harmless', async (t) => {
  const root = await unpackBytes(
    t,
    gzipSync(
      await tarOf([
        { name: 'top/', type: 'directory' },
        { name: 'top/run', mode: 0o6755, text: 'run' },
        file('top/ü/datei', 'old'),
        file('top/ü/datei', 'new'),
        { name: 'top/hard', type: 'link', linkname: 'top/run' },
        symlink('top/ü/link', '../run'),
        symlink('top/dangling', 'nowhere/else'),
      ]),
    ),
  );
  assert.deepEqual((await readdir(root)).sort(), ['dangling', 'hard', 'run', 'ü']);
  assert.equal((await lstat(join(root, 'run'))).mode & 0o7777, 0o755, 'no setuid');
  assert.equal((await lstat(join(root, 'ü/datei'))).mode & 0o7777, 0o644);
  assert.equal(await readFile(join(root, 'ü/datei'), 'utf8'), 'new');
  assert.equal(await readlink(join(root, 'ü/link')), '../run');
  assert.equal(await readFile(join(root, 'hard'), 'utf8'), 'run');
  const zipped = await unpackBytes(
    t,
    zipOf([
      { name: 'top/', text: '' },
      { name: 'top/run', text: 'run', mode: 0o104755 },
      { name: 'top/link', text: 'run', mode: 0o120777 },
      { name: '__MACOSX/top/._run', text: 'junk' },
    ]),
  );
  assert.deepEqual((await readdir(zipped)).sort(), ['link', 'run']);
  assert.equal((await lstat(join(zipped, 'run'))).mode & 0o7777, 0o755);
});

test('stops when the build is cancelled', async (t) => {
  const controller = new AbortController();
  controller.abort();
  await assert.rejects(unpackBytes(t, await tarOf([file('a')]), defaultLimits, controller.signal), {
    name: 'AbortError',
  });
  await assert.rejects(unpackBytes(t, zipOf([file('a')]), defaultLimits, controller.signal), { name: 'AbortError' });
});

test('property: a path is refused or stays below the root', () => {
  const part = fc.oneof(
    fc.constantFrom('..', '.', '', 'a', '/', '\\', '\0', '...', 'ü'),
    fc.string({ maxLength: 6, unit: 'binary' }),
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
      let components: string[];
      try {
        components = splitTreePath(parts.join('/'), defaultLimits);
      } catch (error) {
        return error instanceof BuildFailure && error.code === 'source';
      }
      const full = join('/root', ...components);
      return full === '/root' || full.startsWith('/root/');
    }),
    { numRuns: 2000 },
  );
});

test('property: no tar of files, folders and links writes outside or leaves a link that does', async (t) => {
  const name = fc
    .array(fc.constantFrom('a', 'b', 'c', '..', '.', ''), { minLength: 1, maxLength: 4 })
    .map((parts) => parts.join('/'));
  const entry = fc.oneof(
    fc.record({ name, text: fc.constant('x') }),
    fc.record({ name, type: fc.constant('directory' as const) }),
    fc.record({ name, type: fc.constantFrom('symlink' as const, 'link' as const), linkname: name }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(entry, { minLength: 1, maxLength: 6 }), async (entries) => {
      let root: string;
      try {
        root = await unpackBytes(t, await tarOf(entries));
      } catch (error) {
        assert.ok(error instanceof BuildFailure, String(error));
        return;
      }
      for (const found of await readdir(root, { recursive: true, withFileTypes: true })) {
        if (!found.isSymbolicLink()) continue;
        const real = await realpath(join(found.parentPath, found.name)).catch(() => root);
        assert.ok(real === root || real.startsWith(`${root}/`), `${found.name} leads to ${real}`);
      }
    }),
    { numRuns: 150 },
  );
});
